// Runs graphs for those who know no LibTorch: files and calls over the network. Plain arrays in and out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph_limits.h"
#include "core/graph/graph_spec.h"

namespace ddsp {

// Values in row-major order.
struct FloatArray {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using FloatArrays = std::map<std::string, FloatArray>;

enum class GraphResults {
  kOutput,  // those of the last node: "out/signal", "out/controls/audio"
  kAll,     // and every intermediate, nested keys flattened with '/'. Upstream: get_controls
};

class GraphRunner {
 public:
  // Errors: INVALID_ARGUMENT, those of ValidateGraphSpec().
  static absl::StatusOr<std::unique_ptr<GraphRunner>> Create(const GraphSpec& spec, const GraphLimits& limits = {});
  ~GraphRunner();

  std::string Print() const;  // PrintGraph()
  std::string Draw() const;   // DrawGraph()

  struct Request {
    FloatArrays inputs;      // by graph input; others are ignored
    FloatArrays parameters;  // "node/parameter", all of them; empty: fresh values, drawn with the seed
    uint64_t seed = 0;       // of noise and fresh parameters: the same seed gives the same samples
    GraphResults results = GraphResults::kOutput;
  };
  // Errors: NOT_FOUND for an input or a parameter that is missing, INVALID_ARGUMENT naming the input, the parameter or
  // the node, RESOURCE_EXHAUSTED for what is beyond the limits.
  absl::StatusOr<FloatArrays> Run(const Request& request) const;

 private:
  struct Parts;
  explicit GraphRunner(std::unique_ptr<Parts> parts);
  absl::Status CheckSize(const Request& request) const;

  const std::unique_ptr<Parts> parts_;
};

}  // namespace ddsp
