// The true top k by cosine, as brute force in float64 would give it, ties by id.
//
//   scan at int8 or float32 ──► rows whose upper bound reaches the k-th lower bound
//     ──► float32 cosines of those ──► the same test with their tighter bound ──► float64 cosines
//
// Every bound is proven (stages/block_scorer.cpp), so no dropped row could be among the answers.
#pragma once

#include "search/funnel_search.hpp"

namespace ff {

enum class ExactScan {
  float_rows,  // reads every float; nothing is built but norms
  int8_rows,   // reads a quarter of the bytes; pays from a few queries on
};

PlaneNeeds exact_needs(const Corpus& corpus, ExactScan scan);

void exact_search(const Corpus& corpus, ExactScan scan, const Queries& queries,
                  const SearchOptions& options, const Results& results);

}  // namespace ff
