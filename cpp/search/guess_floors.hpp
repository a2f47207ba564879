// Where exact search starts: what the k-th best row surely reaches.
#pragma once

#include <span>
#include <vector>

#include "search/funnel_search.hpp"
#include "stages/metric.hpp"

namespace ff {

// How many slices of the sign plane the guess reads; it reads int8 rows and floats besides.
std::size_t guess_slices(std::size_t dim);

// For each query a cosine below which no row is among the k best by the metric: a small funnel
// finds k rows, the lowest of whose scores, less its error, the k-th best reaches. -inf if fewer
// are found. n_rows: that may answer.
std::vector<float> guess_floors(const Corpus& corpus, const Queries& queries,
                                const SearchOptions& options, std::size_t k, std::size_t n_rows,
                                LengthRange lengths);

}  // namespace ff
