#include "stages/rescore.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "arrays/float_rows.hpp"
#include "stages/query_codes.hpp"
#include "stages/select_top.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

constexpr int kBitQueryMax = 127;
// Sums of squares outside these have lost digits or values to float32's range.
constexpr float kSmallestSquares = 1e-25F;
constexpr float kLargestSquares = 1e37F;

constexpr std::size_t kRowsAtOnce = 1024;  // between two looks at interrupts

// Calls each(segment, first position in the list, local row numbers) for runs of rows in one
// segment.
template <class Each>
void for_segments(const Corpus& corpus, const Shortlist& list, const Each& each) {
  std::vector<std::uint32_t> local;
  for (std::size_t begin = 0; begin < list.size();) {
    check_interrupt();
    const std::size_t segment = list.rows[begin] / Segment::kMaxRows;
    local.clear();
    std::size_t end = begin;
    const std::size_t limit = std::min(list.size(), begin + kRowsAtOnce);
    for (; end < limit && list.rows[end] / Segment::kMaxRows == segment; ++end)
      local.push_back(list.rows[end] % Segment::kMaxRows);
    each(*corpus.segments()[segment], begin, local);
    begin = end;
  }
}

void score_bits(const Corpus& corpus, const Stage& stage, const float* query,
                const Kernels& kernels, Shortlist& list) {
  const float length = prefix_norm(query, stage.dims);
  const float per_unit =
      length > 0 ? 1 / (length * std::sqrt(static_cast<float>(stage.dims))) : 0.0F;
  const Int8Query bits = make_int8_query(query, stage.dims, 0, stage.dims, kBitQueryMax, kernels);
  std::vector<std::int32_t> sums;
  for_segments(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    sums.assign(local.size(), 0);
    kernels.bit_dot.rescore(bits.data(), segment.sign_rows(), segment.sign_row_stride(),
                            local.data(), local.size(), 0, bits.n_values, sums.data());
    for (std::size_t i = 0; i < local.size(); ++i)
      list.scores[begin + i] = static_cast<float>(2 * sums[i] - bits.sum) * bits.unit * per_unit;
  });
  list.carried_dims = 0;
}

void score_hamming(const Corpus& corpus, const Stage& stage, const float* query,
                   const Kernels& kernels, Shortlist& list) {
  const std::size_t n_bytes = (stage.dims + 7) / 8;
  std::vector<std::uint8_t> code(n_bytes);
  kernels.encode.signs(query, stage.dims, code.data());
  // A prefix that ends inside a byte: bits past it count in both codes alike, on the query's side.
  const auto tail = static_cast<std::uint8_t>(0xffU << (n_bytes * 8 - stage.dims));
  std::vector<std::int32_t> distances;
  for_segments(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    distances.resize(local.size());
    const auto stride = static_cast<std::ptrdiff_t>(segment.sign_row_stride());
    kernels.hamming.distances_at(code.data(), segment.sign_rows(), stride, local.data(),
                                 local.size(), n_bytes, distances.data());
    for (std::size_t i = 0; i < local.size(); ++i) {
      const std::uint8_t last =
          segment.sign_rows()[local[i] * segment.sign_row_stride() + n_bytes - 1];
      const int beyond = std::popcount(static_cast<std::uint8_t>(last & ~tail));
      list.scores[begin + i] =
          1 - 2 * static_cast<float>(distances[i] - beyond) / static_cast<float>(stage.dims);
    }
  });
  list.carried_dims = 0;
}

void score_int8(const Corpus& corpus, const Stage& stage, const float* query,
                const Kernels& kernels, Shortlist& list) {
  if (list.carried != Precision::i8 || list.carried_dims == 0) {
    list.carried = Precision::i8;
    list.carried_dims = 0;
    list.sums.assign(list.size(), 0);
  }
  const float length = prefix_norm(query, stage.dims);
  const std::size_t begin_dim = list.carried_dims / kInt8Step * kInt8Step;
  const Int8Query part =
      make_int8_query(query, corpus.dim(), list.carried_dims, stage.dims, kInt8QueryMax, kernels);
  const float unit = length > 0 ? part.unit / length : 0.0F;
  for_segments(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    kernels.int8_dot.rescore(part.data(), segment.int8_rows(), segment.int8_row_stride(),
                             local.data(), local.size(), begin_dim, part.n_values,
                             list.sums.data() + begin);
    const float* scales = segment.int8_scales();
    const float* norms = segment.inverse_norms(stage.dims);
    for (std::size_t i = 0; i < local.size(); ++i) {
      list.sums[begin + i] -= kInt8Zero * part.sum;
      list.scores[begin + i] =
          static_cast<float>(list.sums[begin + i]) * unit * scales[local[i]] * norms[local[i]];
    }
  });
  list.carried_dims = stage.dims;
}

// Adds the products and squares of dims [begin, end) of rows that are not float32.
void add_converted(const Segment& segment, const float* query,
                   const std::vector<std::uint32_t>& local, std::size_t begin, std::size_t end,
                   const Kernels& kernels, float* dots, float* squares) {
  FloatRows reader(segment.rows(), kernels);
  const std::uint32_t first = 0;
  for (std::size_t i = 0; i < local.size(); ++i)
    kernels.inner_product.rescore(query, reader.row(local[i], end), 0, &first, 1, begin, end,
                                  dots + i, squares + i);
}

void score_floats(const Corpus& corpus, const Stage& stage, const float* query,
                  const Kernels& kernels, Shortlist& list) {
  if (list.carried != Precision::f32 || list.carried_dims == 0) {
    list.carried = Precision::f32;
    list.carried_dims = 0;
    list.dots.assign(list.size(), 0.0F);
    list.squares.assign(list.size(), 0.0F);
  }
  const float length = prefix_norm(query, stage.dims);
  for_segments(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    float* dots = list.dots.data() + begin;
    float* squares = list.squares.data() + begin;
    if (segment.rows().element == Element::f32)
      kernels.inner_product.rescore(query, segment.rows().data, segment.rows().row_stride,
                                    local.data(), local.size(), list.carried_dims, stage.dims, dots,
                                    squares);
    else
      add_converted(segment, query, local, list.carried_dims, stage.dims, kernels, dots, squares);
    for (std::size_t i = 0; i < local.size(); ++i) {
      const bool in_range = squares[i] > kSmallestSquares && squares[i] < kLargestSquares;
      list.scores[begin + i] = in_range && length > 0
                                   ? dots[i] / (length * std::sqrt(squares[i]))
                                   : static_cast<float>(cosine_in_double(
                                         segment.rows(), local[i], query, stage.dims, kernels));
    }
  });
  list.carried_dims = stage.dims;
}

}  // namespace

void rescore(const Corpus& corpus, const Stage& stage, const float* query, const Kernels& kernels,
             Shortlist& list) {
  list.scores.resize(list.size());
  switch (stage.precision) {
    case Precision::b1:
      if (stage.symmetric)
        score_hamming(corpus, stage, query, kernels, list);
      else
        score_bits(corpus, stage, query, kernels, list);
      break;
    case Precision::i8:
      score_int8(corpus, stage, query, kernels, list);
      break;
    case Precision::f32:
      score_floats(corpus, stage, query, kernels, list);
      break;
  }
}

void shorten(Shortlist& list, std::size_t keep, bool keep_ties) {
  if (list.size() <= keep) return;
  std::vector<std::uint32_t> kept;
  select_top(list.scores.data(), list.size(), keep, keep_ties, kept);
  list.keep_only(kept);
}

}  // namespace ff
