#include "stages/sign_queries.hpp"

namespace ff {

SignQueries::SignQueries(std::size_t count, const Stage& stage, std::size_t row_dims,
                         const Kernels& kernels)
    : dims_(stage.dims),
      n_slices_((dims_ + kSliceDims - 1) / kSliceDims),
      symmetric_(stage.symmetric),
      // Counting sees whole slices: what lies past the dims must be no bits of the rows.
      counts_(symmetric_ && kernels.sign_scan.count != nullptr &&
              (dims_ % kSliceDims == 0 || dims_ == row_dims)),
      kernels_(kernels),
      table_bytes_(n_slices_ * (counts_ ? 8 : kernels.sign_scan.slice_table_bytes)),
      tables_(count * table_bytes_),
      meanings_(count),
      weights_(n_slices_ * kSliceDims),
      code_((dims_ + 7) / 8) {}

void SignQueries::set(std::size_t q, const float* query) {
  if (symmetric_) {
    kernels_.encode.signs(query, dims_, code_.data());
    set_code(q, code_.data());
    return;
  }
  meanings_[q] = asymmetric_weights(query, dims_, kernels_, weights_.data());
  kernels_.sign_scan.make_tables(weights_.data(), n_slices_, table(q));
}

void SignQueries::set_code(std::size_t q, const std::uint8_t* code) {
  meanings_[q] = symmetric_meaning(dims_);
  if (!counts_) {
    symmetric_weights(code, dims_, weights_.data());
    kernels_.sign_scan.make_tables(weights_.data(), n_slices_, table(q));
    return;
  }
  for (std::size_t j = 0; j < code_.size(); ++j) table(q)[j] = static_cast<std::uint8_t>(~code[j]);
  if (dims_ % 8 != 0) table(q)[dims_ / 8] &= static_cast<std::uint8_t>(0xff00U >> (dims_ % 8));
}

void SignQueries::scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) const {
  (counts_ ? kernels_.sign_scan.count : kernels_.sign_scan.scan)(blocks, queries, n_queries);
}

}  // namespace ff
