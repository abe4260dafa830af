// A graph in a file: gin, or a protocol buffer as text (proto/ddsp/v1/graph.proto).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/gin_options.h"
#include "core/graph/graph_runner.h"
#include "core/graph/graph_spec.h"

namespace ddsp::client {

// By the ending of `path`: ".gin", ".textproto" or ".pbtxt". Errors name file, line and column.
absl::StatusOr<GraphSpec> ReadGraph(const std::string& path, const GinOptions& gin);

// The arrays of a safetensors file as float32. Errors name the file.
absl::StatusOr<FloatArrays> ReadArrays(const std::string& path);
absl::Status WriteArrays(const std::string& path, const FloatArrays& arrays);

// One WAV file for each example of a batch [batch, samples]: `path` for one, "out.0.wav", ... for several.
absl::Status WriteSignal(const std::string& path, const FloatArray& signal, int sample_rate);

}  // namespace ddsp::client
