#include "arrays/aligned_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "threads/interrupt.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ff {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kBytesAtOnce = std::size_t{16} << 20;  // between two looks at interrupts

}  // namespace

void AlignedFree::operator()(std::uint8_t* bytes) const {
  ::operator delete(bytes, std::align_val_t{alignment});
}

AlignedBuffer::AlignedBuffer(std::size_t size, std::uint8_t fill) : size_(size) {
  if (size == 0) return;
  const std::size_t alignment = size >= kHugePage ? kHugePage : kCacheLine;
  bytes_ = {static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{alignment})),
            AlignedFree{alignment}};
#if defined(__linux__)
  // Advice only: where it is refused the scan walks 4 KiB pages.
  if (alignment == kHugePage) ::madvise(bytes_.get(), size, MADV_HUGEPAGE);
#endif
  for (std::size_t done = 0; done < size; done += kBytesAtOnce) {
    if (done > 0) check_interrupt();
    std::memset(bytes_.get() + done, fill, std::min(kBytesAtOnce, size - done));
  }
}

}  // namespace ff
