// A graph of processors, layers and losses as a text describes it, before anything in it has been checked (upstream:
// dags.py). No LibTorch.
#pragma once

#include <string>
#include <vector>

#include "core/processors/constructor_args.h"

namespace ddsp {

// One module and where its inputs come from, in the order of its ports. A key is a graph input ("f0_hz" or
// "inputs/f0_hz"), or a result of an earlier node: "harmonic/signal", "harmonic/controls/f0_hz". For a layer, "inputs"
// and the name of a node stand for all inputs and all results: ports that no other key fills take what has their name.
struct GraphNode {
  std::string name;        // unique in the graph; results are found below it
  std::string class_name;  // "synths.Harmonic"
  ConstructorArgs args;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs = {};  // what the results of a layer are called; other modules name their own
  std::string where = {};                 // place in the text, for messages: "solo.gin:12:4"
};

struct GraphSpec {
  std::vector<std::string> inputs;  // keys that a caller has to give
  std::vector<GraphNode> nodes;     // in order of execution; the last one makes the output
};

// The key without "inputs/".
std::string BareKey(const std::string& key);

// Every input of a node that no node of the graph can make, in the order of the nodes: what a caller has to give where
// the text does not say.
std::vector<std::string> InferInputs(const GraphSpec& spec);

// What a module of a class is called unless it is told otherwise: "synths.FilteredNoise" is "filtered_noise".
std::string DefaultModuleName(const std::string& class_name);

}  // namespace ddsp
