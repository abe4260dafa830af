#include "worker/runners/output_paths.h"

#include <set>

namespace ddsp::worker {
namespace {

std::string WithoutEnding(const std::string& path) {
  const size_t name = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1, dot = path.rfind('.');
  return dot == std::string::npos || dot <= name ? path : path.substr(0, dot);
}

}  // namespace

std::vector<std::string> OutputPaths(const std::vector<std::string>& inputs, const std::string& ending) {
  std::vector<std::string> outputs;
  std::set<std::string> taken;
  for (const std::string& input : inputs) {
    std::string output = WithoutEnding(input) + ending;
    // Whole names differ from each other, but one may look like another without its ending.
    for (std::string longer = input; !taken.insert(output).second; longer += ending) output = longer + ending;
    outputs.push_back(output);
  }
  return outputs;
}

}  // namespace ddsp::worker
