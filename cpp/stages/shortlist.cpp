#include "stages/shortlist.hpp"

namespace ff {
namespace {

template <class T>
void gather(std::vector<T>& values, const std::vector<std::uint32_t>& positions) {
  if (values.empty()) return;
  for (std::size_t i = 0; i < positions.size(); ++i) values[i] = values[positions[i]];
  values.resize(positions.size());
}

}  // namespace

void Shortlist::keep_only(const std::vector<std::uint32_t>& positions) {
  gather(rows, positions);
  gather(scores, positions);
  gather(dots, positions);
  gather(squares, positions);
  gather(sums, positions);
}

}  // namespace ff
