// What a sign scan writes of a block, for every x86-64 set.
#pragma once

#include <immintrin.h>

#include "kernels/sign_scan.hpp"

namespace ff {
namespace {

// Appends the rows of the mask, of the N whose scores lie in even and odd. Either few rows pass,
// which a loop over the bits writes (compressing stores are microcode on Zen 4), or all of a sample
// without a threshold do: those are copied, 64 rows in 6 stores.
template <std::size_t N>
inline void append_rows(SignQuery& query, const std::uint16_t (&even)[N / 2],
                        const std::uint16_t (&odd)[N / 2], std::uint64_t mask,
                        std::uint32_t first_row) {
  std::uint32_t* rows = query.rows + query.count;
  std::uint16_t* scores = query.scores + query.count;
  if (mask == (~std::uint64_t{0} >> (64 - N))) {
    for (std::uint32_t r = 0; r < N; ++r) rows[r] = first_row + r;
    for (std::size_t i = 0; i < N / 2; ++i) {
      scores[2 * i] = even[i];
      scores[2 * i + 1] = odd[i];
    }
    query.count += static_cast<std::uint32_t>(N);
    return;
  }
  const std::uint16_t* const halves[2] = {even, odd};
  for (; mask != 0; mask &= mask - 1, ++query.count) {
    const auto r = static_cast<std::uint32_t>(_tzcnt_u64(mask));
    *rows++ = first_row + r;
    *scores++ = halves[r & 1][r >> 1];
  }
}

}  // namespace
}  // namespace ff
