#include "core/graph/graph_spec.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"

namespace ddsp {
namespace {

constexpr char kInputsPrefix[] = "inputs/";

}  // namespace

std::string BareKey(const std::string& key) {
  return key.starts_with(kInputsPrefix) ? key.substr(sizeof(kInputsPrefix) - 1) : key;
}

std::vector<std::string> InferInputs(const GraphSpec& spec) {
  std::set<std::string> nodes = {"out"};
  for (const GraphNode& node : spec.nodes) nodes.insert(node.name);
  std::vector<std::string> inputs;
  for (const GraphNode& node : spec.nodes) {
    for (const std::string& key : node.inputs) {
      if (key == "inputs") continue;  // all of them
      const std::string bare = BareKey(key);
      if (bare == key && nodes.contains(key.substr(0, key.find('/')))) continue;
      if (std::find(inputs.begin(), inputs.end(), bare) == inputs.end()) inputs.push_back(bare);
    }
  }
  return inputs;
}

std::string DefaultModuleName(const std::string& class_name) {
  const std::string bare = class_name.substr(class_name.rfind('.') + 1);
  std::string name;
  for (size_t i = 0; i < bare.size(); ++i) {
    // A capital starts a word, unless it goes on with an abbreviation: FIRFilter, SingleGru.
    const bool small_before = i > 0 && absl::ascii_islower(bare[i - 1]);
    const bool small_after = i > 0 && i + 1 < bare.size() && absl::ascii_islower(bare[i + 1]);
    if (absl::ascii_isupper(bare[i]) && (small_before || small_after)) name += '_';
    name += absl::ascii_tolower(bare[i]);
  }
  return name;
}

}  // namespace ddsp
