// Rows that stay in a file: read when they are asked for, never mapped.
//
// A mapped row leaves its page, and with it the 15 around it that are cached, in the resident
// memory of the process; a read leaves nothing, and a disk that fails is an error and no signal.
// Measured on ext4, 100 rows of 4 KiB: 0.15 ms read, 0.07 ms mapped and resident, 0.33 ms mapped
// and let go again. Not cached, they take 1.4 ms asked for together, 10.8 ms one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ff {

// Safe to use from many threads, and after a fork.
class RowFile {
 public:
  // Keeps a duplicate of the descriptor. Throws std::system_error, as everything here does.
  explicit RowFile(int descriptor);
  ~RowFile();
  RowFile(const RowFile&) = delete;
  RowFile& operator=(const RowFile&) = delete;

  // Bytes [offset, offset + n).
  void read(std::uint64_t offset, std::size_t n, std::byte* out) const;
  // n bytes from each of these ascending offsets, one piece behind the other. What is not cached is
  // asked for all at once.
  void gather(const std::vector<std::uint64_t>& offsets, std::size_t n, std::byte* out) const;

 private:
  bool read_cached(std::uint64_t offset, std::size_t n, std::byte* out) const;
  void ask_for(std::uint64_t offset, std::size_t n) const;

  int descriptor_;
};

}  // namespace ff
