// The tables of the sign scans that look up 4 bits at a time. Included by kernels: no STL, and
// internal linkage, so that each translation unit keeps its own copy.
//
// Tables of byte j of a slice lie at tables + 32 * j: 16 entries for its high 4 bits, 16 for its
// low 4 bits.
#pragma once

#include "kernels/sign_scan.hpp"

namespace ff {
namespace {

constexpr std::size_t kNibbleDims = 4;
constexpr std::size_t kNibbleEntries = 16;
constexpr std::size_t kNibbleSliceBytes = kSliceDims / kNibbleDims * kNibbleEntries;

void make_nibble_tables(const std::int16_t* weights, std::size_t n_slices, std::uint8_t* tables) {
  const std::size_t n_tables = n_slices * kSliceDims / kNibbleDims;
  for (std::size_t t = 0; t < n_tables; ++t, weights += kNibbleDims, tables += kNibbleEntries) {
    int base = 0;  // no bit set: every negative weight agrees
    for (std::size_t i = 0; i < kNibbleDims; ++i) base += weights[i] < 0 ? -weights[i] : 0;
    for (unsigned v = 0; v < kNibbleEntries; ++v)
      tables[v] = static_cast<std::uint8_t>(
          base + ((v & 8) != 0 ? weights[0] : 0) + ((v & 4) != 0 ? weights[1] : 0) +
          ((v & 2) != 0 ? weights[2] : 0) + ((v & 1) != 0 ? weights[3] : 0));
  }
}

}  // namespace
}  // namespace ff
