// What steps of an engine cost, found out by stepping it.
#pragma once

#include "core/base/clock.h"
#include "core/streaming/voice_engine.h"
#include "server/scheduler/step_cost.h"

namespace ddsp::server {

// Steps silence through the engine's first slots, up to 64: no stream of it is alive. Takes a few dozen steps.
// `workspace` is the engine's.
StepCost MeasureStepCost(VoiceEngine& engine, StepWorkspace& workspace, const Clock& clock);

}  // namespace ddsp::server
