// dags.DAGLayer: graphs of processors, layers and losses.
#include "core/graph/dag_layer.h"
#include "tests/golden/adapters.h"
#include "tests/golden/graph_args.h"

namespace ddsp::golden {
namespace {

NamedTensors DagLayerCase(Call& call) {
  std::vector<std::string> keys;
  for (const auto& [name, tensor] : call.Inputs()) keys.push_back(name);
  GraphSpec spec = GraphFromModules(call.Raw("dag"), call.Raw("modules"), keys);
  // The modules of these cases are called like their nodes.
  for (GraphNode& node : spec.nodes) {
    if (node.class_name.starts_with("losses.")) node.args["name"] = node.name;
  }
  return Unwrap(DagLayer(Unwrap(ValidateGraphSpec(spec))).Run(call.Inputs()));
}

}  // namespace

const AdapterEntry kDagAdapters[] = {
    {"dags.DAGLayer", DagLayerCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
