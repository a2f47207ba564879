#include "planes/row_copies.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace ff {
namespace {

constexpr std::size_t kHashedBytes = 64;  // rows that differ mostly do so from the start

}  // namespace

void RowCopies::Finder::look_at(std::size_t row) {
  const auto* bytes = reinterpret_cast<const char*>(rows_.row(row));
  const std::size_t size = rows_.dim * element_bytes(rows_.element);
  const std::string_view start(bytes, std::min(size, kHashedBytes));
  const auto [found, is_new] = first_with_.try_emplace(std::hash<std::string_view>{}(start),
                                                       static_cast<std::uint32_t>(row));
  if (is_new || std::memcmp(bytes, rows_.row(found->second), size) != 0) return;
  std::vector<std::uint32_t>& first = copies_.first_;
  const std::size_t known = first.size();
  first.resize(row + 1);
  std::iota(first.begin() + static_cast<std::ptrdiff_t>(known), first.end(),
            static_cast<std::uint32_t>(known));
  first[row] = found->second;
}

void RowCopies::truncate(std::size_t n_rows) { first_.resize(std::min(first_.size(), n_rows)); }

void RowCopies::set_built(bool is_built) {
  is_built_ = is_built;
  if (!is_built) first_ = {};
}

}  // namespace ff
