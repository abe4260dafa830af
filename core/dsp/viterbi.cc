#include "core/dsp/viterbi.h"

#include <vector>

#include "core/dsp/argument.h"

namespace ddsp {

at::Tensor ViterbiPath(const at::Tensor& observations, const at::Tensor& transitions) {
  DDSP_CHECK_ARGUMENT(observations.dim() == 3 && observations.size(1) > 0, "observations have shape ",
                      observations.sizes(), ", expected [batch, time, states]");
  at::Tensor best = observations.select(1, 0);
  std::vector<at::Tensor> came_from;
  for (int64_t t = 1; t < observations.size(1); ++t) {
    const auto [score, from] = at::max(best.unsqueeze(2) + transitions, 1);
    best = score + observations.select(1, t);
    came_from.push_back(from);
  }
  std::vector<at::Tensor> path = {best.argmax(1, /*keepdim=*/true)};
  for (auto from = came_from.rbegin(); from != came_from.rend(); ++from)
    path.push_back(at::gather(*from, 1, path.back()));
  return at::cat(path, 1).flip(1);
}

}  // namespace ddsp
