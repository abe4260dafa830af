#include "server/scheduler/load_meter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ddsp::server {
namespace {

constexpr double kFadeSeconds = 1.0;
// Below this much of fresh evidence (seconds of work) the quiet device is believed.
constexpr double kLeastEvidence = 1e-3;

}  // namespace

double Fading::Seconds() { return kFadeSeconds; }

double Fading::At(absl::Time now) const {
  if (last_ == absl::InfinitePast()) return 0;
  const double passed = std::max(0.0, absl::ToDoubleSeconds(now - last_));
  return sum_ * std::exp(-passed / kFadeSeconds);
}

double LoadMeter::Mean::At(absl::Time now, double fallback) const {
  const double by = weight.At(now);
  return by > 1e-9 ? sum.At(now) / by : fallback;
}

LoadMeter::LoadMeter(int workers, std::vector<absl::Duration> hops)
    : workers_(workers), hops_(std::move(hops)), costs_(hops_.size()) {}

void LoadMeter::AddEngine(int engine, absl::Duration hop) {
  if (hops_.size() <= static_cast<size_t>(engine)) {
    hops_.resize(engine + 1, absl::Milliseconds(20));
    costs_.resize(engine + 1);
  }
  hops_[engine] = hop;
  costs_[engine] = StepCost();
}

void LoadMeter::SetCost(int engine, const StepCost& cost) { costs_[engine] = cost; }

void LoadMeter::Stepped(const Step& step) {
  if (step.streams == 0) return;
  const double seconds = absl::ToDoubleSeconds(step.end - step.begin);
  realtime_seconds_.Add(seconds * step.realtime / step.streams, step.end);
  spent_.Add(seconds, step.end);
  const double quiet = absl::ToDoubleSeconds(costs_[step.engine].Of(step.streams));
  quiet_seconds_ += quiet;
  expected_.Add(quiet, step.end);
  if (step.realtime == 0) return;
  const auto add = [&](Mean& mean, double sum) { mean.Add(sum / step.realtime, step.realtime, step.end); };
  add(device_wait_, absl::ToDoubleSeconds(step.waited));
  add(lag_, absl::ToDoubleSeconds(step.lag));
  add(late_, step.late);
}

void LoadMeter::WaitedForCrew(absl::Duration wait, absl::Time now) {
  crew_wait_.Add(absl::ToDoubleSeconds(wait), 1, now);
}

double LoadMeter::busy(absl::Time now) const {
  return std::min(1.0, realtime_seconds_.At(now) / kFadeSeconds / workers_);
}

double LoadMeter::strain(absl::Time now) const {
  const double expected = expected_.At(now);
  if (expected < kLeastEvidence) return 1;
  return spent_.At(now) / expected;
}

StepCost LoadMeter::CostNow(int engine, absl::Time now) const {
  const double by = strain(now);
  return {.fixed = by * costs_[engine].fixed, .each = by * costs_[engine].each};
}

absl::Duration LoadMeter::device_wait(absl::Time now) const { return absl::Seconds(device_wait_.At(now, 0)); }
absl::Duration LoadMeter::crew_wait(absl::Time now) const { return absl::Seconds(crew_wait_.At(now, 0)); }
absl::Duration LoadMeter::lag(absl::Time now) const { return absl::Seconds(lag_.At(now, 0)); }
double LoadMeter::late_share(absl::Time now) const { return late_.At(now, 0); }

}  // namespace ddsp::server
