#include "stages/block_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ff {

BlockScorer::BlockScorer(const Stage& stage, const Queries& queries, const Kernels& kernels,
                         bool coarse)
    : stage_(stage), queries_(queries), kernels_(kernels), coarse_(coarse) {
  for (std::size_t q = 0; q < queries.count; ++q) {
    const float length = prefix_norm(queries[q], stage.dims, kernels);
    inverse_lengths_.push_back(length > 0 ? 1 / length : 0.0F);
  }
  if (stage.precision != Precision::i8) return;
  int8_stride_ = (stage.dims + kInt8Step - 1) / kInt8Step * kInt8Step;
  int8_values_ = AlignedBuffer(queries.count * int8_stride_);
  sums_.resize(queries.count * kBlockRows);
  const int limit = coarse ? kernels.int8_dot.coarse_max : kInt8QueryMax;
  for (std::size_t q = 0; q < queries.count; ++q) {
    int8_.push_back(make_int8_query(queries[q], queries.dim, 0, stage.dims, limit, kernels));
    std::memcpy(int8_values_.data() + q * int8_stride_, int8_[q].data(), int8_stride_);
  }
}

void BlockScorer::dot_int8(const Segment& segment, std::size_t first, std::size_t n_rows,
                           float* dots) {
  const std::size_t stride = segment.int8_row_stride();
  Int8Scan* const scan = coarse_ ? kernels_.int8_dot.scan_coarse : kernels_.int8_dot.scan;
  scan(reinterpret_cast<const std::int8_t*>(int8_values_.data()), int8_stride_, queries_.count,
       segment.int8_rows() + first * stride, stride, n_rows, int8_stride_, sums_.data(),
       kBlockRows);
  const float* scales = segment.int8_scales() + first;
  for (std::size_t q = 0; q < queries_.count; ++q) {
    const std::int32_t zero = kInt8Zero * int8_[q].sum;
    for (std::size_t r = 0; r < n_rows; ++r)
      dots[q * kBlockRows + r] =
          static_cast<float>(sums_[q * kBlockRows + r] - zero) * int8_[q].unit * scales[r];
  }
}

void BlockScorer::dot_floats(const Segment& segment, std::size_t first, std::size_t n_rows,
                             float* dots) {
  if (reader_of_ != &segment) {
    reader_.emplace(segment.rows(), kernels_);
    reader_of_ = &segment;
  }
  const FloatRows::Run run = reader_->run(first, n_rows, stage_.dims);
  kernels_.inner_product.scan(queries_.data, queries_.dim, queries_.count, run.values, run.stride,
                              n_rows, stage_.dims, dots, kBlockRows);
}

void BlockScorer::score(const Segment& segment, std::size_t block, float* scores) {
  const std::size_t first = block * kBlockRows;
  const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - first);
  if (stage_.precision == Precision::i8)
    dot_int8(segment, first, n_rows, scores);
  else
    dot_floats(segment, first, n_rows, scores);
  const float* norms = segment.inverse_norms(stage_.dims) + first;
  for (std::size_t q = 0; q < queries_.count; ++q)
    for (std::size_t r = 0; r < n_rows; ++r)
      scores[q * kBlockRows + r] = scores[q * kBlockRows + r] * norms[r] * inverse_lengths_[q];
}

// Let q = q' + a and x = x' + b, where q' and x' are what the integers say. Then
//   q.x - q'.x' = q'.b + a.x,  |q.x - q'.x'| <= |q'| |b| + |a| |x|   (Cauchy-Schwarz),
// and cosines divide by |q| |x|. On top comes the rounding of float32: a sum of dim products has a
// relative error of at most dim * 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1), the steps to the cosine a few more.
BlockScorer::ErrorBound BlockScorer::error_bound(std::size_t q) const {
  const auto rounding =
      static_cast<float>(static_cast<double>(stage_.dims + 20) * std::ldexp(1.0, -24));
  if (stage_.precision != Precision::i8) return {rounding, 0};
  double approximate = 0, error = 0, exact = 0;
  for (std::size_t d = 0; d < stage_.dims; ++d) {
    const double value = static_cast<double>(queries_[q][d]);
    const double integer =
        static_cast<double>(int8_[q].data()[d]) * static_cast<double>(int8_[q].unit);
    approximate += integer * integer;
    error += (value - integer) * (value - integer);
    exact += value * value;
  }
  if (!(exact > 0)) return {rounding, 0};
  return {rounding + static_cast<float>(std::sqrt(error / exact) * (1 + 1e-6)),
          static_cast<float>(std::sqrt(approximate / exact) * (1 + 1e-6))};
}

}  // namespace ff
