// Requests that hold all of it: a recording, or a graph.
#pragma once

#include "ddsp/v1/features.pb.h"
#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/session.pb.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

v1::RenderRequest SomeRender(Visit& visit);
v1::ExtractRequest SomeExtract(Visit& visit);
v1::RunGraphRequest SomeGraph(Visit& visit);

}  // namespace ddsp::soak
