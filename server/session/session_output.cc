// What leaves a session, and what is known of it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/session/responses.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

// Blocks between two entries of a traced session in its journal.
constexpr int64_t kBlocksPerEntry = 100;

}  // namespace

void Session::Writing(const OutputItem& item) {
  if (!item.message.has_audio() && !item.message.has_features()) return;
  const absl::Time now = services_.clock->Now();
  const absl::Duration latency = now - item.due;
  ModelMetrics& metrics = *voice_->metrics;
  metrics.block_latency_seconds->Observe(absl::ToDoubleSeconds(latency));
  metrics.audio_seconds_out->Increment(static_cast<double>(item.samples) / plan_.output_format.sample_rate);
  if (latency > plan_.max_block_latency) metrics.block_deadline_missed->Increment();
  const absl::Duration gap = CountOutput(item, now, latency);
  if (origin_.span != nullptr && services_.journal != nullptr) {
    if (const SessionFacts facts = Facts(); facts.output_blocks % kBlocksPerEntry == 0)
      services_.journal->Playing(facts);
  }
  if (gap <= absl::ZeroDuration()) return;
  metrics.underruns->Increment();
  SayAfterStarted(
      MakeEvent(v1::SessionEvent::UNDERRUN, ClampToInt64(item.message.audio().start_sample()),
                absl::StrCat("output came ", absl::FormatDuration(gap), " after what had been sent was played")));
}

absl::Duration Session::CountOutput(const OutputItem& item, absl::Time now, absl::Duration latency) {
  MutexLock lock(&mu_);
  if (!std::exchange(first_output_seen_, true)) {
    voice_->metrics->first_output_seconds->Observe(absl::ToDoubleSeconds(now - config_time_));
  }
  const absl::Duration gap =
      item.samples == 0
          ? absl::ZeroDuration()
          : playback_.Deliver(absl::Seconds(1) * item.samples / plan_.output_format.sample_rate, now, latency);
  tally_.CountBlock(latency, latency > plan_.max_block_latency, gap > absl::ZeroDuration());
  return gap;
}

SessionFacts Session::Facts() const {
  MutexLock lock(&mu_);
  return FactsLocked();
}

SessionFacts Session::FactsLocked() const {
  const absl::Time now = services_.clock->Now();
  SessionFacts facts{.id = id_, .origin = origin_, .state = machine_.state(), .age = now - arrived_};
  facts.idle = now - last_request_;
  facts.input_samples = input_samples_;
  facts.output_samples = output_samples_;
  facts.started = started_;
  facts.setup = setup_;
  facts.output_blocks = tally_.blocks();
  facts.late_blocks = tally_.late();
  facts.underruns = tally_.underruns();
  facts.latency_p50 = tally_.Latency(0.5);
  facts.latency_p99 = tally_.Latency(0.99);
  if (!opened_) return facts;
  facts.model = voice_->id();
  facts.input_format = plan_.input_format;
  facts.output_format = plan_.output_format;
  facts.qos = plan_.qos;
  return facts;
}

void Session::RoomAgain() {
  {
    MutexLock lock(&mu_);
    if (!wants_room_) return;
    wants_room_ = false;
    if (!TryTakeTurn()) return;
  }
  RunTurn(Place::kWire);
}

}  // namespace ddsp::server
