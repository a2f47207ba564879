// A first guess at the threshold that lets just enough rows through.
#pragma once

#include <span>
#include <vector>

#include "stages/scan.hpp"

namespace ff {

// Single blocks spread evenly over the runs, at most n_blocks of them.
std::vector<BlockRun> sample_blocks(std::span<const BlockRun> blocks, std::size_t n_blocks);

// The sample that a first stage guesses its thresholds from: 2,048 rows, but at most 1 block in 32.
std::vector<BlockRun> sample_for_thresholds(std::span<const BlockRun> blocks);

std::size_t count_blocks(std::span<const BlockRun> blocks);

// Of n_sampled scores out of n_rows, the rank whose score is passed by at least `keep` rows with
// near certainty: the expected rank plus 2.5 standard deviations plus 2. n_sampled or more (0 of 0
// too) means "let everything through".
std::size_t threshold_rank(std::size_t keep, std::size_t n_sampled, std::size_t n_rows);

}  // namespace ff
