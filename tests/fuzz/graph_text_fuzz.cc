// No text may crash the reader of graphs as protocol buffers, and what is read keeps its meaning when it is written.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/graph/proto_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto spec = ddsp::GraphFromText(std::string(reinterpret_cast<const char*>(data), size));
  if (!spec.ok()) return 0;
  const auto again = ddsp::GraphFromProto(ddsp::GraphToProto(*spec));
  if (!again.ok() || again->nodes.size() != spec->nodes.size() || again->inputs != spec->inputs) std::abort();
  return 0;
}
