// Where answers go.
#pragma once

#include <cstdint>
#include <vector>

#include "stages/shortlist.hpp"

namespace ff {

// Row-major arrays of the caller, k values a query. Missing answers are id -1, score -inf.
struct Results {
  std::int64_t* ids;
  float* scores;
  std::size_t k;

  // Writes the k best of these rows for query q: highest score first, ties by lower id.
  template <class Score>
  void write(std::size_t q, const Corpus& corpus, const std::vector<Row>& rows,
             const std::vector<Score>& row_scores) const;
};

// What one stage did for one query.
struct StageTrace {
  std::size_t rows = 0;  // rows it scored
  double seconds = 0;
};

}  // namespace ff
