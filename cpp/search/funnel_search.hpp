// Search by a funnel: scan every row, rescore the shortlist stage by stage, answer with the last k.
//
//   queries ──► scan (stage 1, every row) ──► shortlist ──► rescore (stage 2) ──► … ──► top k
//
// Where the last stage reads all floats, rows that may be among its top k are told apart in
// float64: so the answer is also the same at every instruction-set level, as far as shortlists are.
//
// Many queries: each task takes a group of queries past all rows. Few queries and many rows: each
// task takes a part of the rows, and the partial shortlists are merged. Either way the answer is
// the same.
//
// With a filter only the rows it lets through are scored, at every stage: by a scan that skips the
// others, by one over their sign bits brought together, or, where they are few, by gathering them.
#pragma once

#include "search/results.hpp"
#include "search/row_filter.hpp"
#include "stages/scan.hpp"

namespace ff {

struct SearchOptions {
  const Kernels& kernels;
  unsigned n_threads = 1;
  const RowFilter* filter = nullptr;         // rows that may answer; null: all
  std::vector<StageTrace>* trace = nullptr;  // filled for a single query
  Metric metric = Metric::cosine;

  const RowMask* mask() const { return filter != nullptr ? &filter->mask() : nullptr; }
  // Of the rows of the corpus those that may answer.
  std::size_t n_rows(const Corpus& corpus) const {
    return filter != nullptr ? filter->n_rows() : corpus.n_alive();
  }
};

// The funnel must be valid for the corpus and its planes must have been built.
void funnel_search(const Corpus& corpus, const Funnel& funnel, const Queries& queries,
                   const SearchOptions& options, const Results& results);

}  // namespace ff
