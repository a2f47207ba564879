// A later stage: a better score for the rows of a shortlist.
#pragma once

#include "kernels/dispatch.hpp"
#include "stages/shortlist.hpp"

namespace ff {

// Replaces the scores by those of the stage, continuing the partial sums the list carries where
// precision allows. Does not cut the list. query has corpus.dim() values.
void rescore(const Corpus& corpus, const Stage& stage, const float* query, const Kernels& kernels,
             Shortlist& list);

// Cuts the list to the top `keep` by score.
void shorten(Shortlist& list, std::size_t keep, bool keep_ties);

// Drops the rows that are not among the top k by their true scores for sure: each of those lies
// within widths[i] of the list's score.
void drop_losers(Shortlist& list, std::size_t k, const std::vector<float>& widths);

}  // namespace ff
