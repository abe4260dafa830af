// What steps of an engine cost, found out by stepping it.
#pragma once

#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/streaming/voice_engine.h"
#include "server/scheduler/step_cost.h"

namespace ddsp::server {

// What a step costs one of several workers while the others step too, as they do under load: cores that share their
// arithmetic units are not as many as they say. Steps a tone through the engine's first slots, up to 64: no stream of
// it is alive. Takes a few dozen steps. `workspaces` are the engine's, one for each worker.
StepCost MeasureStepCost(VoiceEngine& engine, const std::vector<std::unique_ptr<StepWorkspace>>& workspaces,
                         const Clock& clock);

}  // namespace ddsp::server
