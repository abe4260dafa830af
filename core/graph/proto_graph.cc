#include "core/graph/proto_graph.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/models/text_proto.h"

namespace ddsp {
namespace {

constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

ArgValue FromNumber(double number) {
  if (std::floor(number) == number && std::abs(number) <= kLargestExactInteger) return static_cast<int64_t>(number);
  return number;
}

absl::Status AddArgument(const std::string& name, ArgValue value, GraphNode* node) {
  if (node->args.emplace(name, std::move(value)).second) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("node ", node->name, ": argument ", name, " is given twice"));
}

absl::StatusOr<GraphNode> NodeFromProto(const v1::GraphSpec::Node& proto) {
  GraphNode node{proto.name(), proto.type(), {}, {proto.inputs().begin(), proto.inputs().end()}};
  node.outputs = {proto.outputs().begin(), proto.outputs().end()};
  for (const auto& [name, value] : proto.numbers()) RETURN_IF_ERROR(AddArgument(name, FromNumber(value), &node));
  for (const auto& [name, value] : proto.flags()) RETURN_IF_ERROR(AddArgument(name, value, &node));
  for (const auto& [name, value] : proto.texts()) {
    RETURN_IF_ERROR(AddArgument(name, value.empty() ? ArgValue() : ArgValue(value), &node));
  }
  for (const auto& [name, value] : proto.lists()) {
    RETURN_IF_ERROR(AddArgument(name, std::vector<int64_t>(value.values().begin(), value.values().end()), &node));
  }
  for (const auto& [name, value] : proto.text_lists()) {
    RETURN_IF_ERROR(AddArgument(name, std::vector<std::string>(value.values().begin(), value.values().end()), &node));
  }
  for (const auto& [name, value] : proto.sizes()) {
    NamedSizes sizes;
    for (const auto& part : value.parts()) sizes.emplace_back(part.name(), part.channels());
    RETURN_IF_ERROR(AddArgument(name, std::move(sizes), &node));
  }
  return node;
}

struct ArgumentWriter {
  const std::string& name;
  v1::GraphSpec::Node* node;

  void operator()(std::monostate) const { (*node->mutable_texts())[name] = ""; }
  void operator()(bool flag) const { (*node->mutable_flags())[name] = flag; }
  void operator()(int64_t number) const { (*node->mutable_numbers())[name] = static_cast<double>(number); }
  void operator()(double number) const { (*node->mutable_numbers())[name] = number; }
  void operator()(const std::string& text) const { (*node->mutable_texts())[name] = text; }
  void operator()(const std::vector<int64_t>& list) const {
    (*node->mutable_lists())[name].mutable_values()->Add(list.begin(), list.end());
  }
  void operator()(const std::vector<std::string>& list) const {
    (*node->mutable_text_lists())[name].mutable_values()->Add(list.begin(), list.end());
  }
  void operator()(const NamedSizes& sizes) const {
    auto& message = (*node->mutable_sizes())[name];
    for (const auto& [part, channels] : sizes) {
      auto* added = message.add_parts();
      added->set_name(part);
      added->set_channels(channels);
    }
  }
};

}  // namespace

absl::StatusOr<GraphSpec> GraphFromProto(const v1::GraphSpec& proto) {
  GraphSpec spec;
  for (const auto& node : proto.nodes()) {
    ASSIGN_OR_RETURN(GraphNode converted, NodeFromProto(node));
    spec.nodes.push_back(std::move(converted));
  }
  spec.inputs = {proto.inputs().begin(), proto.inputs().end()};
  if (spec.inputs.empty()) spec.inputs = InferInputs(spec);
  return spec;
}

v1::GraphSpec GraphToProto(const GraphSpec& spec) {
  v1::GraphSpec proto;
  proto.mutable_inputs()->Add(spec.inputs.begin(), spec.inputs.end());
  for (const GraphNode& node : spec.nodes) {
    v1::GraphSpec::Node* converted = proto.add_nodes();
    converted->set_name(node.name);
    converted->set_type(node.class_name);
    converted->mutable_inputs()->Add(node.inputs.begin(), node.inputs.end());
    converted->mutable_outputs()->Add(node.outputs.begin(), node.outputs.end());
    for (const auto& [name, value] : node.args) std::visit(ArgumentWriter{name, converted}, value);
  }
  return proto;
}

absl::StatusOr<GraphSpec> GraphFromText(const std::string& text, const std::string& file) {
  v1::GraphSpec proto;
  if (const absl::Status status = ParseTextProto(text, &proto); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(file.empty() ? "graph" : file, ": ", status.message()));
  }
  return GraphFromProto(proto);
}

}  // namespace ddsp
