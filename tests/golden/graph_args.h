// Graphs of the golden files, in the forms of upstream: a list of nodes with their modules, or gin.
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph_spec.h"
#include "tests/golden/gin_args.h"

namespace ddsp::golden {

// Upstream's arguments, and upstream's form where our default is another one.
ConstructorArgs ToConstructorArgs(const std::string& class_name, const nlohmann::json& args);

// Whether processors of a class draw noise.
bool DrawsNoise(const std::string& class_name);

// From `dag` = [[module, [input keys], [output keys]?], ...] and `modules` = {module: {class, args}}.
GraphSpec GraphFromModules(const nlohmann::json& dag, const nlohmann::json& modules, std::vector<std::string> inputs);
// From ProcessorGroup.dag of a gin text.
GraphSpec GraphFromArgs(const GinArgs& gin, std::vector<std::string> inputs);

}  // namespace ddsp::golden
