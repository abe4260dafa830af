#include "core/losses/loss_group.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

absl::Status OfNode(const std::string& name, const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat("loss '", name, "': ", error.message()));
}

}  // namespace

absl::StatusOr<LossGroup> LossGroup::Create(std::vector<Node> nodes) {
  std::set<std::string> names;
  for (const Node& node : nodes) {
    if (node.name.empty() || !names.insert(node.name).second)
      return absl::InvalidArgumentError(absl::StrCat("loss '", node.name, "': the name is empty or taken"));
  }
  return LossGroup(std::move(nodes));
}

absl::StatusOr<NamedTensors> LossGroup::Compute(const NamedTensors& tensors) const {
  NamedTensors losses;
  for (const Node& node : nodes_) {
    std::vector<at::Tensor> arguments;
    for (const std::string& key : node.inputs) {
      absl::StatusOr<at::Tensor> argument = Lookup(tensors, key);
      if (!argument.ok()) return OfNode(node.name, argument.status());
      arguments.push_back(*std::move(argument));
    }
    absl::StatusOr<at::Tensor> loss = CatchTorch([&] { return node.loss(arguments); });
    if (!loss.ok()) return OfNode(node.name, loss.status());
    losses[node.name] = *std::move(loss);
  }
  return losses;
}

}  // namespace ddsp
