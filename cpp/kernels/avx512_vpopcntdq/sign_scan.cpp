// Sign scan with AVX-512 VBMI: a 6-bit table is one vpermb over the 64 rows of a block.
//
// vpermb takes the low 6 bits of each byte as its index and ignores the others, so the low 6 bits
// of the 8 bytes of a cell index 8 tables as they lie. Their 16 high bits, 2 a byte, make 3 indices
// more. 11 look-ups score 64 dims, where vpshufb needs 16 and broadcasts of their tables.
//
// Instructions for one query over 64 dims of 64 rows, in a tile of Q queries: 11 vpermb with their
// table in memory, 11 vpaddb and 3 to widen, plus (8 loads + 13 to gather the high bits) / Q. At
// Q = 8 that is 0.43 a row. On Zen 4 a vpermb and a vpaddb take 1.25 cycles together (measured), so
// 256 dims take about 1 cycle a row and query: the shuffle pipes are the bound.
// A query alone keeps the tables of a slice in registers: 8 loads, 13 to gather the high bits, 11
// vpermb, 11 vpaddb, 3 to widen, and 2 loads and 2 stores of the totals that wait.
//
// Counting takes 8 vpbroadcastb, 8 vpxorq, 8 vpopcntb and 8 vpaddb for the same, in 1.5 cycles a
// byte (measured): 4.1 G rows/s of 256 bits where look-ups score 2.7. No tables: 8 queries a tile
// at any width.
//
// GCC keeps an array of vectors in registers only where the loops over it are unrolled: the
// pragmas.
#include "kernels/sign_scan.hpp"

#include "kernels/avx512/intrinsics.hpp"

// after the header with <immintrin.h>
#include "kernels/avx2/passing_rows.hpp"

namespace ff {
namespace {

constexpr std::size_t kBytes = 8;    // of a row in a cell
constexpr std::size_t kTables = 11;  // 8 of 6 low bits, 3 of the high ones
constexpr std::size_t kEntries = 64;
constexpr std::size_t kSliceTableBytes = kTables * kEntries;
constexpr int kFirstSelects = 0xca;  // vpternlog: bitwise a ? b : c

// The dims whose bits make up the index of table t, highest bit first; -1: a bit of no dim.
struct IndexDims {
  int dims[6];
};

constexpr IndexDims index_dims(std::size_t t) {
  const int j = static_cast<int>(t) * 8;
  if (t < kBytes) return {{j + 2, j + 3, j + 4, j + 5, j + 6, j + 7}};
  if (t == 8) return {{16, 17, 8, 9, 0, 1}};
  if (t == 9) return {{40, 41, 32, 33, 24, 25}};
  return {{-1, -1, 56, 57, 48, 49}};
}

void make_tables(const std::int16_t* weights, std::size_t n_slices, std::uint8_t* tables) {
  constexpr std::uint64_t kWhereSet[6] = {0xffffffff00000000, 0xffff0000ffff0000,
                                          0xff00ff00ff00ff00, 0xf0f0f0f0f0f0f0f0,
                                          0xcccccccccccccccc, 0xaaaaaaaaaaaaaaaa};
  for (std::size_t s = 0; s < n_slices; ++s, weights += kSliceDims)
    for (std::size_t t = 0; t < kTables; ++t, tables += kEntries) {
      const IndexDims index = index_dims(t);
      __m512i entries = _mm512_setzero_si512();
      for (int i = 0; i < 6; ++i) {
        if (index.dims[i] < 0) continue;
        const int weight = weights[index.dims[i]];
        const std::uint64_t agrees = weight > 0 ? kWhereSet[i] : ~kWhereSet[i];
        const __m512i size = _mm512_set1_epi8(static_cast<char>(weight > 0 ? weight : -weight));
        entries = _mm512_mask_add_epi8(entries, agrees, entries, size);
      }
      _mm512_store_si512(tables, entries);
    }
}

// Totals of 64 rows, less the threshold, plus 2^15: the highest bit of a lane says that its row
// passes. raw adds the 8-bit sums as they lie, two rows to 16 bits: even + 256 * odd modulo 2^16,
// from which even follows at the end.
struct Totals {
  __m512i raw, odd;

  explicit Totals(std::uint16_t threshold)
      : raw(_mm512_set1_epi16(static_cast<short>(257U * (0x8000U - threshold)))),
        odd(_mm512_set1_epi16(static_cast<short>(0x8000U - threshold))) {}
  Totals() = default;

  void add(__m512i sums) {
    raw = _mm512_add_epi16(raw, sums);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(sums, 8));
  }
  __m512i even() const { return _mm512_sub_epi16(raw, _mm512_slli_epi16(odd, 8)); }
};

// Only where a row passes are the bits of even and odd rows told apart and put in order.
void append(SignQuery& query, Totals totals, __m512i even, std::uint64_t alive,
            std::uint32_t first_row) {
  const std::uint64_t mask =
      alive & (_pdep_u64(_mm512_movepi16_mask(even), 0x5555555555555555) |
               _pdep_u64(_mm512_movepi16_mask(totals.odd), 0xaaaaaaaaaaaaaaaa));
  if (mask == 0) return;
  alignas(64) std::uint16_t even_scores[32], odd_scores[32];
  const __m512i back = _mm512_set1_epi16(static_cast<short>(query.threshold - 0x8000U));
  _mm512_store_si512(even_scores, _mm512_add_epi16(even, back));
  _mm512_store_si512(odd_scores, _mm512_add_epi16(totals.odd, back));
  append_rows<64>(query, even_scores, odd_scores, mask, first_row);
}

inline void append_if_any_passes(SignQuery& query, Totals totals, std::uint64_t alive,
                                 const SignBlocks& blocks, std::size_t b) {
  const __m512i even = totals.even();
  if (_mm512_movepi16_mask(_mm512_or_si512(even, totals.odd)) != 0)
    append(query, totals, even, alive,
           blocks.first_row + static_cast<std::uint32_t>(b * kBlockRows));
}

std::uint64_t alive_rows(const SignBlocks& blocks, std::size_t b) {
  return blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
}

__m512i load_byte(const std::uint8_t* cell, std::size_t j) {
  return _mm512_load_si512(cell + j * kBlockRows);
}

// The two high bits of bytes j, j + 1 and j + 2 as one index; above 6 bits anything.
__m512i high_bits(const std::uint8_t* cell, std::size_t j) {
  const __m512i pair =
      _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x03), _mm512_srli_epi16(load_byte(cell, j), 6),
                                _mm512_srli_epi16(load_byte(cell, j + 1), 4), kFirstSelects);
  if (j + 2 >= kBytes) return pair;
  return _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x0f), pair,
                                   _mm512_srli_epi16(load_byte(cell, j + 2), 2), kFirstSelects);
}

// What one cell adds to the sums of Q queries, whose tables stand at `offset`.
struct LookUps {
  static constexpr std::size_t kSliceBytes = kSliceTableBytes;

  template <int Q>
  static void look_up(__m512i* sums, const std::uint8_t* const* tables, std::size_t offset,
                      __m512i index) {
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      sums[q] = _mm512_add_epi8(
          sums[q], _mm512_permutexvar_epi8(index, _mm512_load_si512(tables[q] + offset)));
      pin(sums[q]);
    }
  }
  template <int Q>
  static void add(__m512i* sums, const std::uint8_t* const* tables, std::size_t offset,
                  const std::uint8_t* cell) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kBytes; ++j)
      look_up<Q>(sums, tables, offset + j * kEntries, load_byte(cell, j));
#pragma GCC unroll 8
    for (std::size_t t = 0; t < 3; ++t)
      look_up<Q>(sums, tables, offset + (kBytes + t) * kEntries, high_bits(cell, 3 * t));
  }
};

struct Counts {
  static constexpr std::size_t kSliceBytes = kBytes;

  template <int Q>
  static void add(__m512i* sums, const std::uint8_t* const* tables, std::size_t offset,
                  const std::uint8_t* cell) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kBytes; ++j) {
      const __m512i rows = load_byte(cell, j);
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        const __m512i code = _mm512_set1_epi8(static_cast<char>(tables[q][offset + j]));
        sums[q] = _mm512_add_epi8(sums[q], _mm512_popcnt_epi8(_mm512_xor_si512(rows, code)));
        pin(sums[q]);
      }
    }
  }
};

template <class Sums, int Q>
void scan_tile(const SignBlocks& blocks, SignQuery* queries) {
  const std::uint8_t* tables[Q];
  Totals start[Q];
  for (int q = 0; q < Q; ++q) {
    tables[q] = queries[q].tables;
    start[q] = Totals(queries[q].threshold);
  }

  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = alive_rows(blocks, b);
    if (alive == 0) continue;
    Totals totals[Q];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) totals[q] = start[q];

    const std::uint8_t* cell = blocks.slices + b * kCellBytes;
    std::size_t offset = 0;
    for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride) {
      __m512i sums[Q];
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) sums[q] = _mm512_setzero_si512();
      Sums::template add<Q>(sums, tables, offset, cell);
      offset += Sums::kSliceBytes;
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) totals[q].add(sums[q]);
    }
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) append_if_any_passes(queries[q], totals[q], alive, blocks, b);
  }
}

// One slice of some blocks for one query. Its tables stay in registers, where a tile loads them
// again for every block; the totals of the blocks wait in the L1 cache for the next slice.
template <bool kIsFirst, bool kIsLast>
void scan_slice(const SignBlocks& blocks, std::size_t slice, SignQuery& query, Totals* waiting) {
  const Totals start(query.threshold);
  const std::uint8_t* tables = query.tables + slice * kSliceTableBytes;
  __m512i table[kTables];
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kTables; ++t) {
    table[t] = _mm512_load_si512(tables + t * kEntries);
    pin(table[t]);
  }
  const std::uint8_t* cell = blocks.slices + slice * blocks.slice_stride;
  for (std::size_t b = 0; b < blocks.n_blocks; ++b, cell += kCellBytes) {
    const std::uint64_t alive = alive_rows(blocks, b);
    if (alive == 0) continue;
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kBytes; ++j)
      sum = _mm512_add_epi8(sum, _mm512_permutexvar_epi8(load_byte(cell, j), table[j]));
#pragma GCC unroll 8
    for (std::size_t t = 0; t < 3; ++t)
      sum =
          _mm512_add_epi8(sum, _mm512_permutexvar_epi8(high_bits(cell, 3 * t), table[kBytes + t]));
    Totals totals = kIsFirst ? start : waiting[b];
    totals.add(sum);
    if constexpr (kIsLast)
      append_if_any_passes(query, totals, alive, blocks, b);
    else
      waiting[b] = totals;
  }
}

// One query alone: 6.9 ns a cell, where a tile of one takes 8.6.
void scan_alone(const SignBlocks& blocks, SignQuery& query) {
  constexpr std::size_t kWaiting = 64;
  Totals waiting[kWaiting];
  const std::size_t last = blocks.n_slices - 1;
  for (std::size_t first = 0; first < blocks.n_blocks; first += kWaiting) {
    SignBlocks some = blocks;
    some.slices += first * kCellBytes;
    some.n_blocks = blocks.n_blocks - first < kWaiting ? blocks.n_blocks - first : kWaiting;
    if (some.alive) some.alive += first;
    some.first_row += static_cast<std::uint32_t>(first * kBlockRows);
    if (last == 0) {
      scan_slice<true, true>(some, 0, query, waiting);
      continue;
    }
    scan_slice<true, false>(some, 0, query, waiting);
    for (std::size_t s = 1; s < last; ++s) scan_slice<false, false>(some, s, query, waiting);
    scan_slice<false, true>(some, last, query, waiting);
  }
}

// A tile's tables should stay in the L1 cache: 22 KB for 8 queries of 4 slices.
void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  std::size_t q = 0;
  if (blocks.n_slices <= 4)
    for (; q + 8 <= n_queries; q += 8) scan_tile<LookUps, 8>(blocks, queries + q);
  if (blocks.n_slices <= 8)
    for (; q + 4 <= n_queries; q += 4) scan_tile<LookUps, 4>(blocks, queries + q);
  for (; q + 2 <= n_queries; q += 2) scan_tile<LookUps, 2>(blocks, queries + q);
  if (q < n_queries) scan_alone(blocks, queries[q]);
}

void count(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  std::size_t q = 0;
  for (; q + 8 <= n_queries; q += 8) scan_tile<Counts, 8>(blocks, queries + q);
  for (; q + 2 <= n_queries; q += 2) scan_tile<Counts, 2>(blocks, queries + q);
  if (q < n_queries) scan_tile<Counts, 1>(blocks, queries + q);
}

}  // namespace

extern const SignScanKernels kSignScanAvx512Vbmi = {IsaLevel::avx512_vpopcntdq, kSliceTableBytes,
                                                    make_tables, scan, count};

}  // namespace ff
