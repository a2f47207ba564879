#include "stages/rescore.hpp"

#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "stages/query_codes.hpp"
#include "stages/rescore_floats.hpp"
#include "stages/rescore_runs.hpp"
#include "stages/select_top.hpp"

namespace ff {
namespace {

constexpr int kBitQueryMax = 127;
// Whole sign codes of some rows: where they lie, or brought together.
class SignCodes {
 public:
  SignCodes(const Segment& segment, const std::vector<std::uint32_t>& local)
      : stride_(segment.sign_row_stride()), data_(segment.sign_rows()), rows_(local.data()) {
    if (!segment.signs_are_split()) return;
    gathered_ = AlignedBuffer(local.size() * stride_);
    segment.gather_signs(local.data(), local.size(), gathered_.data());
    places_.resize(local.size());
    std::iota(places_.begin(), places_.end(), 0U);
    data_ = gathered_.data();
    rows_ = places_.data();
  }

  std::size_t stride() const { return stride_; }
  const std::uint8_t* data() const { return data_; }
  const std::uint32_t* rows() const { return rows_; }
  const std::uint8_t* row(std::size_t i) const { return data_ + rows_[i] * stride_; }

 private:
  std::size_t stride_;
  const std::uint8_t* data_;
  const std::uint32_t* rows_;
  AlignedBuffer gathered_;
  std::vector<std::uint32_t> places_;
};

void score_bits(const Corpus& corpus, const Stage& stage, const float* query,
                const Kernels& kernels, Shortlist& list) {
  const float length = prefix_norm(query, stage.dims, kernels);
  const float per_unit =
      length > 0 ? 1 / (length * std::sqrt(static_cast<float>(stage.dims))) : 0.0F;
  const Int8Query bits = make_int8_query(query, stage.dims, 0, stage.dims, kBitQueryMax, kernels);
  std::vector<std::int32_t> sums;
  for_runs(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    sums.assign(local.size(), 0);
    const SignCodes codes(segment, local);
    kernels.bit_dot.rescore(bits.data(), codes.data(), codes.stride(), codes.rows(), local.size(),
                            0, bits.n_values, sums.data());
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
  for_runs(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    distances.resize(local.size());
    const SignCodes codes(segment, local);
    kernels.hamming.distances_at(code.data(), codes.data(),
                                 static_cast<std::ptrdiff_t>(codes.stride()), codes.rows(),
                                 local.size(), n_bytes, distances.data());
    for (std::size_t i = 0; i < local.size(); ++i) {
      const std::uint8_t last = codes.row(i)[n_bytes - 1];
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
  const float length = prefix_norm(query, stage.dims, kernels);
  const std::size_t begin_dim = list.carried_dims / kInt8Step * kInt8Step;
  const Int8Query part =
      make_int8_query(query, corpus.dim(), list.carried_dims, stage.dims, kInt8QueryMax, kernels);
  const float unit = length > 0 ? part.unit / length : 0.0F;
  for_runs(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
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

void drop_losers(Shortlist& list, std::size_t k, const std::vector<float>& widths) {
  if (list.size() <= k) return;
  std::vector<float> lower;
  for (std::size_t i = 0; i < list.size(); ++i) lower.push_back(list.scores[i] - widths[i]);
  const float kth = find_cut(lower.data(), lower.size(), k).score;
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list.scores[i] + widths[i] >= kth) kept.push_back(static_cast<std::uint32_t>(i));
  list.keep_only(kept);
}

}  // namespace ff
