// Graphs as protocol buffers and as text of them (proto/ddsp/v1/graph.proto).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/graph/graph_spec.h"
#include "ddsp/v1/graph.pb.h"

namespace ddsp {

// Errors: INVALID_ARGUMENT for an argument that is given twice, with its node.
absl::StatusOr<GraphSpec> GraphFromProto(const v1::GraphSpec& proto);
v1::GraphSpec GraphToProto(const GraphSpec& spec);

// Strictly: an unknown field is an error that names line and column after `file`.
absl::StatusOr<GraphSpec> GraphFromText(const std::string& text, const std::string& file = "");

}  // namespace ddsp
