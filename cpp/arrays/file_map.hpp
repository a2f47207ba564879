// Bytes of a file, mapped: pages that the system reads when they are touched and may take back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace ff {

class FileMap {
 public:
  FileMap() = default;
  // Bytes [offset, offset + n_bytes), read-only. Empty if the file has not so many, or where files
  // cannot be mapped (on Windows a writer could not remove them then). The file may be removed
  // while it is mapped, but not cut.
  FileMap(const std::filesystem::path& path, std::uint64_t offset, std::size_t n_bytes);

  bool is_empty() const { return data_ == nullptr; }
  const std::uint8_t* data() const { return data_; }

 private:
  std::shared_ptr<const void> mapping_;
  const std::uint8_t* data_ = nullptr;
};

}  // namespace ff
