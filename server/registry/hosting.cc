#include "server/registry/hosting.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "server/scheduler/measure_cost.h"

namespace ddsp::server {

absl::Status Hosting::Begin(HostedVoice& voice) {
  voice.metrics = &metrics_.ForModel(voice.model());
  ASSIGN_OR_RETURN(voice.engine_index, engines_.Add(*voice.engine(), *voice.metrics));
  load_.AddEngine(voice.engine_index, engines_.at(voice.engine_index).hop);
  CountSlots(voice, 1);
  return absl::OkStatus();
}

// Streams that play meanwhile make steps slower, by as much as the load knows.
void Hosting::Measure(HostedVoice& voice) {
  StepCost cost = MeasureStepCost(*voice.engine(), engines_.at(voice.engine_index).workspaces, clock_);
  const double strain = std::max(1.0, load_.strain());
  cost.fixed /= strain;
  cost.each /= strain;
  load_.SetCost(voice.engine_index, cost);
}

void Hosting::End(HostedVoice& voice) {
  CountSlots(voice, -1);
  engines_.Remove(voice.engine_index);
  voice.FreeEngine();
}

void Hosting::CountSlots(HostedVoice& voice, int sign) {
  voice.metrics->session_slots->Increment(sign * voice.slots().slots());
  const MutexLock lock(&mu_);
  state_bytes_ += static_cast<double>(sign * voice.bytes_per_slot() * voice.slots().slots());
  metrics_.SetStateBytes(state_bytes_);
}

}  // namespace ddsp::server
