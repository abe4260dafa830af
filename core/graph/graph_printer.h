// A checked graph as text to read, and as a drawing.
#pragma once

#include <string>

#include "core/graph/validated_graph.h"

namespace ddsp {

// Inputs, then every node with its arguments, where each of its ports comes from, its results and its parameters.
std::string PrintGraph(const ValidatedGraph& graph);

// For Graphviz (`dot -Tsvg`): a box for each node, an ellipse for each graph input, edges with the names of results and
// ports.
std::string DrawGraph(const ValidatedGraph& graph);

}  // namespace ddsp
