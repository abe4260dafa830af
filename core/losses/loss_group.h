// Several losses over one dictionary of tensors (upstream: losses.py, LossGroup).
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

class LossGroup {
 public:
  // A loss, and where in the dictionary its arguments are ("audio", "harmonic/signal"), in order.
  struct Node {
    std::string name;  // unique
    std::vector<std::string> inputs;
    std::function<at::Tensor(const std::vector<at::Tensor>&)> loss;  // gives a scalar; may throw what ATen throws
  };
  // Errors: INVALID_ARGUMENT naming a loss whose name is empty or taken.
  static absl::StatusOr<LossGroup> Create(std::vector<Node> nodes);

  const std::vector<Node>& nodes() const { return nodes_; }

  // Every loss under its name. Errors: NOT_FOUND and INVALID_ARGUMENT naming the loss.
  absl::StatusOr<NamedTensors> Compute(const NamedTensors& tensors) const;

 private:
  explicit LossGroup(std::vector<Node> nodes) : nodes_(std::move(nodes)) {}

  std::vector<Node> nodes_;
};

}  // namespace ddsp
