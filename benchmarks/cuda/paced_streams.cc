#include "benchmarks/cuda/paced_streams.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "core/base/check.h"

namespace ddsp {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kWarmUpSeconds = 1;

}  // namespace

double PacedFigures::Quantile(double q) const {
  if (latencies_s.empty()) return 0;
  return latencies_s[std::min(latencies_s.size() - 1,
                              static_cast<size_t>(q * static_cast<double>(latencies_s.size())))];
}

PacedFigures RunPaced(VoiceEngine& engine, const std::vector<float>& recording, const PacedOptions& options) {
  const StreamFormat format = engine.format(StreamInput::kAudio);
  const int hop = format.hop_size, streams = options.streams;
  const int64_t hops_of_recording = static_cast<int64_t>(recording.size()) / format.input_hop;
  const double hop_s = static_cast<double>(hop) / format.sample_rate;
  for (int slot = 0; slot < streams; ++slot) {
    StreamSettings settings;
    settings.seed = slot;
    DDSP_CHECK(engine.Reset(slot, settings).ok(), "a slot can be reset");
  }
  std::vector<float> output(static_cast<size_t>(streams) * hop);
  std::vector<HopRequest> requests;
  const auto workspace = engine.MakeWorkspace();
  PacedFigures figures;

  // Hop n of all is hop n / streams of stream n % streams.
  const auto due_s = [&](int64_t n) { return hop_s * static_cast<double>(n) / streams; };
  const Clock::time_point start = Clock::now();
  const auto elapsed_s = [&] { return Seconds(Clock::now() - start).count(); };
  int64_t next = 0;
  double earliest_s = 0;
  while (true) {
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<Clock::duration>(Seconds(std::max(due_s(next), earliest_s))));
    const double begin_s = elapsed_s();
    if (begin_s >= options.seconds + kWarmUpSeconds) break;
    earliest_s = begin_s + options.tick_s;
    requests.clear();
    // A slot steps once.
    for (int64_t n = next; n < next + streams && due_s(n) <= begin_s; ++n) {
      const int64_t slot = n % streams;
      HopRequest request;
      request.slot = static_cast<int>(slot);
      request.audio = absl::MakeSpan(recording).subspan(
          (n / streams + 37 * slot) % hops_of_recording * format.input_hop, format.input_hop);
      request.output = absl::MakeSpan(output).subspan(slot * hop, hop);
      requests.push_back(request);
    }
    for (const absl::Status& status : engine.Step(requests, *workspace)) figures.faults += !status.ok();
    const double end_s = elapsed_s();
    const auto stepped = static_cast<int64_t>(requests.size());
    if (begin_s >= kWarmUpSeconds) {
      for (int64_t n = next; n < next + stepped; ++n) {
        figures.latencies_s.push_back(static_cast<float>(end_s - due_s(n)));
      }
      ++figures.steps;
      figures.hops += stepped;
      figures.busy_s += end_s - begin_s;
    }
    next += stepped;
  }
  std::sort(figures.latencies_s.begin(), figures.latencies_s.end());
  return figures;
}

}  // namespace ddsp
