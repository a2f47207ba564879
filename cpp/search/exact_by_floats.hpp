// The true top k by a metric other than cosine, as brute force in float64 would give it, ties by
// id: float32 scores of every row, then float64 scores of those that their errors leave in doubt.
#pragma once

#include "search/funnel_search.hpp"

namespace ff {

// options.metric is not cosine. Needs the norms of all dims.
void exact_search_by_floats(const Corpus& corpus, const Queries& queries,
                            const SearchOptions& options, const Results& results);

}  // namespace ff
