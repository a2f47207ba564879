// The true top k by cosine, as brute force in float64 would give it, ties by id.
#pragma once

#include "search/funnel_search.hpp"

namespace ff {

// Planes that exact_search reads.
PlaneNeeds exact_needs(const Corpus& corpus);

void exact_search(const Corpus& corpus, const Queries& queries, const SearchOptions& options,
                  const Results& results);

}  // namespace ff
