// The true top k, as brute force in float64 would give it, ties by id.
//
//   a small funnel ──► k rows, whose lowest float32 cosine less its error bounds the k-th best
//     ──► every row whose upper bound reaches that, from its projection or its int8 codes
//       ──► their float32 cosines, the same test with a tighter bound ──► float64 cosines
//
// Every bound is proven (stages/upper_bounds.cpp, stages/block_scorer.cpp), so no dropped row could
// be among the answers. Where bounds drop too few rows, and that is where lengths decide more than
// cosines by another metric, all are scored in float32 instead.
#pragma once

#include "search/funnel_search.hpp"

namespace ff {

enum class ExactScan {
  float_rows,   // reads every float; nothing is built but norms
  int8_rows,    // reads a quarter of the bytes; pays from a few queries on
  projections,  // reads a byte a direction of the corpus's basis, then as int8_rows
};

// The scan that suits what the corpus has, and so many queries.
ExactScan exact_scan(const Corpus& corpus, std::size_t n_queries);

PlaneNeeds exact_needs(const Corpus& corpus, ExactScan scan);

void exact_search(const Corpus& corpus, ExactScan scan, const Queries& queries,
                  const SearchOptions& options, const Results& results);

}  // namespace ff
