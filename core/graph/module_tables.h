// Losses and layers by the name of their class.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/graph/graph_module.h"

namespace ddsp {

// Null for a class that is no loss, or no layer. Problems of the arguments go to `args`.
std::unique_ptr<GraphModule> MakeLossModule(const GraphNode& node, ArgReader& args);
std::unique_ptr<GraphModule> MakeLayerModule(const GraphNode& node, ArgReader& args);

std::vector<std::string> LossClasses();
std::vector<std::string> LayerClasses();

// Whether `name`, with or without its modules, means `class_name` ("losses.SpectralLoss").
bool MeansClass(const std::string& name, const std::string& class_name);

}  // namespace ddsp
