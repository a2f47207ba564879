#include "arrays/file_map.hpp"

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace ff {

#if defined(_WIN32)

FileMap::FileMap(const std::filesystem::path&, std::uint64_t, std::size_t) {}

#else

FileMap::FileMap(const std::filesystem::path& path, std::uint64_t offset, std::size_t n_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  struct stat found = {};
  const std::uint64_t end = offset + n_bytes;
  if (::fstat(descriptor, &found) == 0 && end >= offset &&
      end <= static_cast<std::uint64_t>(found.st_size)) {
    void* start = ::mmap(nullptr, end, PROT_READ, MAP_SHARED, descriptor, 0);
    if (start != MAP_FAILED) {
      mapping_ = {start, [end](void* mapped) { ::munmap(mapped, end); }};
      data_ = static_cast<const std::uint8_t*>(start) + offset;
    }
  }
  ::close(descriptor);  // the mapping stays
}

#endif

}  // namespace ff
