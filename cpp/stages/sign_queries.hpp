// Queries in the form that a sign scan reads.
#pragma once

#include <cstdint>
#include <vector>

#include "arrays/aligned_buffer.hpp"
#include "stages/funnel.hpp"
#include "stages/query_codes.hpp"

namespace ff {

class SignQueries {
 public:
  // Room for `count` queries of a b1 stage over rows of row_dims dims.
  SignQueries(std::size_t count, const Stage& stage, std::size_t row_dims, const Kernels& kernels);

  std::size_t size() const { return meanings_.size(); }
  // Query q by its values; by its packed code, where the score is symmetric.
  void set(std::size_t q, const float* query);
  void set_code(std::size_t q, const std::uint8_t* code);

  const std::uint8_t* tables(std::size_t q) const { return tables_.data() + q * table_bytes_; }
  const SignMeaning& meaning(std::size_t q) const { return meanings_[q]; }
  void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) const;

 private:
  std::uint8_t* table(std::size_t q) { return tables_.data() + q * table_bytes_; }

  std::size_t dims_;
  std::size_t n_slices_;
  bool symmetric_;
  bool counts_;  // bits are counted, not looked up
  const Kernels& kernels_;
  std::size_t table_bytes_;
  AlignedBuffer tables_;
  std::vector<SignMeaning> meanings_;
  std::vector<std::int16_t> weights_;
  std::vector<std::uint8_t> code_;
};

}  // namespace ff
