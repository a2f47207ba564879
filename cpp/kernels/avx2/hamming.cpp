// Hamming distances with AVX2's companion instruction POPCNT: a load-xor, a popcnt and an add for
// each 8 bytes, 14 instructions a 256-bit row. (Byte-table popcounts in vector registers need 8
// instructions for 32 bytes but a horizontal sum a row; for wide batches sign_scan is the faster
// way to the same distances.) The usual widths are compiled each for itself: with a loop over
// any width a search of 300k x 256 bits took 1.5 times as long.
#include "kernels/hamming.hpp"

#include <immintrin.h>

#include <cstring>

namespace ff {
namespace {

std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

std::uint64_t tail_at(const std::uint8_t* bytes, std::size_t n) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, n);
  return word;
}

std::int64_t differing(std::uint64_t a, std::uint64_t b) { return _mm_popcnt_u64(a ^ b); }

// From a query of n_bytes to a row.
struct AnyDistance {
  const std::uint8_t* query;
  std::size_t n_bytes;

  std::int32_t operator()(const std::uint8_t* row) const {
    std::int64_t sum = 0;
    std::size_t j = 0;
    for (; j + 8 <= n_bytes; j += 8) sum += differing(word_at(query + j), word_at(row + j));
    if (j < n_bytes)
      sum += differing(tail_at(query + j, n_bytes - j), tail_at(row + j, n_bytes - j));
    return static_cast<std::int32_t>(sum);
  }
};

// The same for 8 * Words bytes.
template <std::size_t Words>
struct FixedDistance {
  explicit FixedDistance(const std::uint8_t* bytes) { std::memcpy(query, bytes, sizeof query); }
  std::uint64_t query[Words];

  std::int32_t operator()(const std::uint8_t* row) const {
    std::int64_t sum = 0;
#pragma GCC unroll 16
    for (std::size_t w = 0; w < Words; ++w) sum += differing(query[w], word_at(row + 8 * w));
    return static_cast<std::int32_t>(sum);
  }
};

template <class Body>
void with_distance(const std::uint8_t* query, std::size_t n_bytes, const Body& body) {
  switch (n_bytes) {
    case 8:
      return body(FixedDistance<1>(query));
    case 16:
      return body(FixedDistance<2>(query));
    case 32:
      return body(FixedDistance<4>(query));
    case 64:
      return body(FixedDistance<8>(query));
    case 128:
      return body(FixedDistance<16>(query));
    default:
      return body(AnyDistance{query, n_bytes});
  }
}

void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  with_distance(query, n_bytes, [=](const auto& distance) {
    for (std::size_t r = 0; r < n_rows; ++r)
      out[r] = distance(codes + static_cast<std::ptrdiff_t>(r) * row_stride);
  });
}

void distances_at(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t n_bytes, std::int32_t* out) {
  constexpr std::size_t kAhead = 8;  // rows whose first line is on its way
  with_distance(query, n_bytes, [=](const auto& distance) {
    for (std::size_t i = 0; i < n; ++i) {
      if (i + kAhead < n)
        _mm_prefetch(reinterpret_cast<const char*>(codes) +
                         static_cast<std::ptrdiff_t>(ids[i + kAhead]) * row_stride,
                     _MM_HINT_T0);
      out[i] = distance(codes + static_cast<std::ptrdiff_t>(ids[i]) * row_stride);
    }
  });
}

}  // namespace

extern const HammingKernels kHammingAvx2 = {IsaLevel::avx2, distances, distances_at};

}  // namespace ff
