// Memory for planes: aligned to cache lines, on huge pages where it is large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ff {

inline constexpr std::size_t kCacheLine = 64;

struct AlignedFree {
  std::size_t alignment = kCacheLine;
  void operator()(std::uint8_t* bytes) const;
};

// Owned bytes, aligned to 64, or to 2 MiB with huge-page advice from 2 MiB on. Fresh bytes have
// the fill value. Move only.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // Throws std::bad_alloc, and where it is large what check_interrupt() throws.
  explicit AlignedBuffer(std::size_t size, std::uint8_t fill = 0);

  std::uint8_t* data() { return bytes_.get(); }
  const std::uint8_t* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::unique_ptr<std::uint8_t, AlignedFree> bytes_;
  std::size_t size_ = 0;
};

}  // namespace ff
