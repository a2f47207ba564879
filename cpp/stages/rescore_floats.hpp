// A later stage that reads float rows, of any element type, from memory or from their file.
#pragma once

#include "kernels/dispatch.hpp"
#include "stages/shortlist.hpp"

namespace ff {

// As rescore(), for a stage of precision f32. Throws std::invalid_argument, naming the id, for a
// row that is not finite: its file has been damaged since it was checked.
void score_floats(const Corpus& corpus, const Stage& stage, const float* query,
                  const Kernels& kernels, Shortlist& list);

}  // namespace ff
