#include "tests/chaos/chaos_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <utility>

#include "client/pacing/quantiles.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "core/models/repository.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Streams = std::vector<std::unique_ptr<ChaosStream>>;

constexpr float kTolerance = 1e-5f;

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

absl::StatusOr<Streams> OpenStreams(const ChaosOptions& options, const Cluster& cluster,
                                    const std::vector<std::vector<float>>& recordings) {
  Streams streams;
  for (int i = 0; i < options.streams; ++i) {
    ChaosStream::Settings settings;
    settings.servers = cluster.servers(i % Cluster::kReplicas);
    settings.model = options.model;
    settings.seed = i;
    const std::vector<float>& recording = recordings[i % recordings.size()];
    // Everybody is somewhere else in it.
    streams.push_back(std::make_unique<ChaosStream>(settings, recording, recording.size() / options.streams * i));
    RETURN_IF_ERROR(streams.back()->Open());
  }
  return streams;
}

// Plays until the scenario is over and it has been calm for a while.
absl::Status PlayThrough(const Scenario& scenario, double calm_seconds, Cluster& cluster, const Streams& streams) {
  const Clock::time_point start = Clock::now() + std::chrono::milliseconds(50);
  for (size_t i = 0; i < streams.size(); ++i) {
    // Messages do not come in one burst.
    streams[i]->Begin(start + i * std::chrono::milliseconds(20) / streams.size());
  }
  std::atomic<bool> over = false;
  // A server that is started again ends with the thread that started it: that must not be the one that ends here.
  std::thread player([&] {
    while (!over) {
      for (const auto& stream : streams) stream->SendDue(Clock::now());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::this_thread::sleep_for(Seconds(calm_seconds));
  const absl::Status blow = scenario.strike(cluster, calm_seconds);
  std::this_thread::sleep_for(Seconds(calm_seconds));
  over = true;
  player.join();
  for (const auto& stream : streams) stream->Finish();
  return blow;
}

// What nobody has disturbed: a voice in this process, one stream at a time.
class Reference {
 public:
  static absl::StatusOr<Reference> Create(const std::string& repository, const std::string& model) {
    ASSIGN_OR_RETURN(const VoiceLocation location, FindVoice(repository, model));
    ASSIGN_OR_RETURN(auto voice, LoadVoice(location.directory));
    ASSIGN_OR_RETURN(auto engine, MakeVoiceEngine(voice, 1));
    return Reference(std::move(engine));
  }
  absl::StatusOr<std::vector<float>> Play(absl::Span<const float> input, uint64_t seed) {
    RenderOptions options;
    options.framer.input_rate = options.framer.output_rate = 16000;
    options.framer.tail = TailPolicy::kCut;
    options.settings.seed = seed;
    ASSIGN_OR_RETURN(Rendering rendering, Render(*engine_, options, input));
    return std::move(rendering.audio);
  }

 private:
  explicit Reference(std::unique_ptr<VoiceEngine> engine) : engine_(std::move(engine)) {}
  std::unique_ptr<VoiceEngine> engine_;
};

void Compare(const std::vector<float>& expected, const ChaosStream::Outcome& outcome, ChaosResult* result) {
  const std::vector<float>& output = outcome.output;
  const auto more = static_cast<int64_t>(output.size()) - static_cast<int64_t>(expected.size());
  result->lost_samples += outcome.missing_samples + std::max<int64_t>(0, -more);
  result->repeated_samples += outcome.repeated_samples + std::max<int64_t>(0, more);
  result->identical_streams += output == expected;
  for (size_t i = 0; i < std::min(output.size(), expected.size()); ++i) {
    const float difference = std::abs(output[i] - expected[i]);
    result->wrong_samples += !(difference <= kTolerance);
    result->largest_difference = std::max<double>(result->largest_difference, difference);
  }
}

void AddMoves(const std::vector<client::Resumption>& moves, ChaosResult* result) {
  const auto longest = [](double* so_far, absl::Duration duration) {
    *so_far = std::max(*so_far, absl::ToDoubleMilliseconds(duration));
  };
  for (const client::Resumption& move : moves) {
    ++result->moves;
    result->replayed_input_samples += move.replayed_input;
    longest(&result->longest_detection_ms, move.detection);
    longest(&result->longest_reconnection_ms, move.reconnection);
    longest(&result->longest_replay_ms, move.replay);
  }
}

absl::Status Evaluate(const ChaosOptions& options, const Streams& streams, ChaosResult* result) {
  ASSIGN_OR_RETURN(Reference reference, Reference::Create(options.cluster.repository, options.model));
  std::vector<double> latencies_ms;
  for (size_t i = 0; i < streams.size(); ++i) {
    ChaosStream::Outcome outcome = streams[i]->TakeOutcome();
    if (!outcome.status.ok() && result->failed_streams++ == 0) result->first_error = client::Describe(outcome.status);
    ASSIGN_OR_RETURN(const std::vector<float> expected, reference.Play(outcome.input, i));
    Compare(expected, outcome, result);
    AddMoves(outcome.moves, result);
    result->seconds = static_cast<double>(outcome.input.size()) / 16000;
    result->stalls += outcome.stalls;
    result->longest_gap_ms = std::max(result->longest_gap_ms, outcome.longest_interval_ms);
    latencies_ms.insert(latencies_ms.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
  }
  result->median_block_ms = client::Quantile(latencies_ms, 0.5);
  result->latest_block_ms = client::Quantile(latencies_ms, 1);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChaosResult> RunScenario(const Scenario& scenario, const ChaosOptions& options,
                                        const std::vector<std::vector<float>>& recordings) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Start(options.cluster));
  if (scenario.prepare != nullptr) scenario.prepare(*cluster);
  ASSIGN_OR_RETURN(const Streams streams, OpenStreams(options, *cluster, recordings));
  RETURN_IF_ERROR(PlayThrough(scenario, options.calm_seconds, *cluster, streams));
  ChaosResult result;
  result.scenario = scenario.name;
  result.streams = options.streams;
  RETURN_IF_ERROR(Evaluate(options, streams, &result));
  return result;
}

}  // namespace ddsp::testing
