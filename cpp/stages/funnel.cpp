#include "stages/funnel.hpp"

#include <stdexcept>
#include <string>

namespace ff {
namespace {

constexpr std::size_t kMaxScanDims = kMaxScanScore;  // a sign that agrees scores 1

}  // namespace

void validate(const Funnel& funnel, std::size_t dim, std::size_t k) {
  if (funnel.empty()) throw std::invalid_argument("funnel must have at least one stage, got none");
  for (std::size_t s = 0; s < funnel.size(); ++s) {
    const Stage& stage = funnel[s];
    const std::string which = "funnel stage " + std::to_string(s + 1);
    if (stage.dims < 1 || stage.dims > dim)
      throw std::invalid_argument(which + " must read 1 to " + std::to_string(dim) + " dims, got " +
                                  std::to_string(stage.dims));
    if (s == 0 && stage.precision == Precision::b1 && stage.dims > kMaxScanDims)
      throw std::invalid_argument(which + " must read at most " + std::to_string(kMaxScanDims) +
                                  " dims as b1, got " + std::to_string(stage.dims));
    if (s > 0 && stage.dims < funnel[s - 1].dims)
      throw std::invalid_argument(which + " must read at least the " +
                                  std::to_string(funnel[s - 1].dims) +
                                  " dims of the stage before, got " + std::to_string(stage.dims));
    if (s + 1 == funnel.size()) continue;
    if (stage.keep < k)
      throw std::invalid_argument(which + " must keep at least k = " + std::to_string(k) +
                                  " rows, got " + std::to_string(stage.keep));
    if (s > 0 && stage.keep > funnel[s - 1].keep)
      throw std::invalid_argument(which + " must keep at most the " +
                                  std::to_string(funnel[s - 1].keep) +
                                  " rows of the stage before, got " + std::to_string(stage.keep));
  }
}

void check_codes(const Funnel& funnel, const RowFormat& format) {
  for (std::size_t s = 0; s < funnel.size(); ++s) {
    const Precision precision = funnel[s].precision;
    const bool is_kept = precision == Precision::b1   ? format.signs
                         : precision == Precision::i8 ? format.int8
                                                      : true;
    if (!is_kept)
      throw std::invalid_argument("funnel stage " + std::to_string(s + 1) +
                                  " must read codes that the index keeps, got " +
                                  (precision == Precision::b1 ? "b1" : "i8"));
  }
}

PlaneNeeds plane_needs(const Funnel& funnel) {
  PlaneNeeds needs;
  for (std::size_t s = 0; s < funnel.size(); ++s) {
    const Stage& stage = funnel[s];
    if (stage.precision == Precision::b1) {
      if (s == 0)
        needs.sign_slices = (stage.dims + kSliceDims - 1) / kSliceDims;
      else
        needs.sign_rows = true;
    } else {
      if (stage.precision == Precision::i8) needs.int8_rows = true;
      // A float stage that gathers sums the squares of what it reads; see stages/rescore.cpp.
      if (stage.precision == Precision::i8 || s == 0) needs.add_norms(stage.dims);
    }
  }
  return needs;
}

}  // namespace ff
