// All weights of a model in one stretch of memory, so that an optimiser step is a few long vector operations.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/training/voice_network.h"

namespace ddsp::training {

class ParameterStore {
 public:
  explicit ParameterStore(const Parameters& initial);

  const at::Tensor& flat() const { return flat_; }  // [size], float32; gaps between weights stay 0

  // Views of flat(), by name.
  Parameters views() const { return ViewsOf(flat_); }
  // Leaves that share the weights' memory and collect gradients into `gradients` [size], which is cleared.
  Parameters Leaves(at::Tensor& gradients) const;
  Parameters ViewsOf(const at::Tensor& flat) const;

 private:
  struct Place {
    int64_t offset;
    std::vector<int64_t> shape;
  };
  std::map<std::string, Place> places_;
  at::Tensor flat_;
};

}  // namespace ddsp::training
