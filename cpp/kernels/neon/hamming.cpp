// Hamming distances with NEON: for 16 bytes two loads, an eor, a cnt and an add; a register of byte
// counts takes 31 of these before a byte could overflow, then one uaddlv sums it. 12 instructions a
// 256-bit row.
#include "kernels/hamming.hpp"

#include <arm_neon.h>

#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 8;  // distances_at has asked for the first lines of these
constexpr std::size_t kSteps = 31;     // 31 * 8 bits <= 255

uint8x16_t differing(const std::uint8_t* a, const std::uint8_t* b) {
  return vcntq_u8(veorq_u8(vld1q_u8(a), vld1q_u8(b)));
}

std::int32_t tail_distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t n) {
  std::uint64_t x = 0, y = 0;
  std::memcpy(&x, a, n);
  std::memcpy(&y, b, n);
  return vaddv_u8(vcnt_u8(vcreate_u8(x ^ y)));
}

std::int32_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
  std::int32_t sum = 0;
  std::size_t j = 0;
  while (j + 16 <= n_bytes) {
    uint8x16_t counts = differing(a + j, b + j);
    j += 16;
    for (std::size_t step = 1; step < kSteps && j + 16 <= n_bytes; ++step, j += 16)
      counts = vaddq_u8(counts, differing(a + j, b + j));
    sum += vaddlvq_u8(counts);
  }
  if (j + 8 <= n_bytes) {
    sum += vaddv_u8(vcnt_u8(veor_u8(vld1_u8(a + j), vld1_u8(b + j))));
    j += 8;
  }
  return j < n_bytes ? sum + tail_distance(a + j, b + j, n_bytes - j) : sum;
}

void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t r = 0; r < n_rows; ++r)
    out[r] = distance(query, codes + static_cast<std::ptrdiff_t>(r) * row_stride, n_bytes);
}

void distances_at(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n)
      __builtin_prefetch(codes + static_cast<std::ptrdiff_t>(ids[i + kRowsAhead]) * row_stride);
    out[i] = distance(query, codes + static_cast<std::ptrdiff_t>(ids[i]) * row_stride, n_bytes);
  }
}

}  // namespace

extern const HammingKernels kHammingNeon = {IsaLevel::neon, distances, distances_at};

}  // namespace ff
