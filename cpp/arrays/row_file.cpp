#include "arrays/row_file.hpp"

#include <cerrno>
#include <system_error>

#if defined(_WIN32)
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/uio.h>
#endif
#endif

namespace ff {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

#if defined(_WIN32)

// There is no read at an offset that threads may share: rows are mapped there (Python says so).
RowFile::RowFile(int) { fail(ENOSYS, "rows cannot be read from a file on Windows"); }
RowFile::~RowFile() = default;
void RowFile::read(std::uint64_t, std::size_t, std::byte*) const { fail(ENOSYS, "read"); }
bool RowFile::read_cached(std::uint64_t, std::size_t, std::byte*) const { return false; }
void RowFile::ask_for(std::uint64_t, std::size_t) const {}

#else

RowFile::RowFile(int descriptor) : descriptor_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {
  if (descriptor_ < 0) fail(errno, "cannot keep the file of some rows open");
}

RowFile::~RowFile() { ::close(descriptor_); }

void RowFile::read(std::uint64_t offset, std::size_t n, std::byte* out) const {
  while (n > 0) {
    const ssize_t got = ::pread(descriptor_, out, n, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno, "cannot read rows");
    if (got == 0) fail(EIO, "cannot read rows: the file has become shorter");
    offset += static_cast<std::uint64_t>(got);
    out += got;
    n -= static_cast<std::size_t>(got);
  }
}

bool RowFile::read_cached(std::uint64_t offset, std::size_t n, std::byte* out) const {
#if defined(RWF_NOWAIT)
  const iovec piece = {out, n};
  const ssize_t got = ::preadv2(descriptor_, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return got == static_cast<ssize_t>(n);
#else
  (void)offset, (void)n, (void)out;
  return false;
#endif
}

void RowFile::ask_for(std::uint64_t offset, std::size_t n) const {
#if defined(POSIX_FADV_WILLNEED)
  // Advice only: where it is refused the rows come one after the other.
  (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(n),
                        POSIX_FADV_WILLNEED);
#else
  (void)offset, (void)n;
#endif
}

#endif

void RowFile::gather(const std::vector<std::uint64_t>& offsets, std::size_t n,
                     std::byte* out) const {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < offsets.size(); ++i)
    if (!read_cached(offsets[i], n, out + i * n)) missing.push_back(i);
  for (const std::size_t i : missing) ask_for(offsets[i], n);
  for (const std::size_t i : missing) read(offsets[i], n, out + i * n);
}

}  // namespace ff
