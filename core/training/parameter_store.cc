#include "core/training/parameter_store.h"

#include <torch/torch.h>

namespace ddsp::training {

ParameterStore::ParameterStore(const Parameters& initial) {
  // Every weight starts on a cache line: the matrix library's rounding may depend on alignment.
  constexpr int64_t kAlignment = 16;
  int64_t size = 0;
  for (const auto& [name, value] : initial) {
    places_[name] = {size, value.sizes().vec()};
    size += (value.numel() + kAlignment - 1) / kAlignment * kAlignment;
  }
  flat_ = at::zeros({size});
  for (const auto& [name, view] : views()) view.copy_(initial.at(name));
}

Parameters ParameterStore::ViewsOf(const at::Tensor& flat) const {
  Parameters views;
  for (const auto& [name, place] : places_) {
    int64_t count = 1;
    for (const int64_t extent : place.shape) count *= extent;
    views[name] = flat.slice(0, place.offset, place.offset + count).view(place.shape);
  }
  return views;
}

Parameters ParameterStore::Leaves(at::Tensor& gradients) const {
  gradients.zero_();
  Parameters leaves = views();
  const Parameters slots = ViewsOf(gradients);
  for (auto& [name, leaf] : leaves) {
    leaf = leaf.detach().requires_grad_(true);
    leaf.mutable_grad() = slots.at(name);
  }
  return leaves;
}

}  // namespace ddsp::training
