// Pitch, loudness and power of streams of a melody: alone, in batches, and the parts of it.
// realtime: seconds of audio analysed per second of one core, all streams together, at 50 frames per second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "core/features/feature_extractor.h"
#include "core/features/frame_level.h"
#include "core/features/loudness_meter.h"
#include "core/features/pitch_network.h"
#include "core/features/pitch_tracker.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

constexpr int kHop = 320, kHops = 400;

const std::vector<float>& Melody() {
  static const std::vector<float> melody = testing::TestMelody(kHops * kHop);
  return melody;
}

// Streams play the melody from different hops on.
std::span<const float> Hop(int64_t step, int stream) {
  return std::span(Melody()).subspan((step + 7 * stream) % kHops * kHop, kHop);
}

void CountHops(benchmark::State& state, int64_t hops) {
  state.counters["realtime"] =
      benchmark::Counter(static_cast<double>(hops) * kHop / 16000, benchmark::Counter::kIsRate);
  state.counters["per_hop"] =
      benchmark::Counter(static_cast<double>(hops), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

std::vector<FeatureState> MakeStates(const FeatureExtractor& extractor, int streams) {
  std::vector<FeatureState> states;
  for (int i = 0; i < streams; ++i) states.push_back(extractor.MakeState());
  return states;
}

// 64 streams, one after the other.
void BM_FeaturesPlain(benchmark::State& state) {
  const auto extractor = *FeatureExtractor::Create({});
  std::vector<FeatureState> states = MakeStates(*extractor, 64);
  int64_t step = 0;
  for (auto _ : state) {
    for (int i = 0; i < 64; ++i) benchmark::DoNotOptimize(extractor->Step(Hop(step, i), states[i]));
    ++step;
  }
  CountHops(state, 64 * step);
}
BENCHMARK(BM_FeaturesPlain)->Unit(benchmark::kMicrosecond);

void BM_FeaturesBatch(benchmark::State& state) {
  const int streams = static_cast<int>(state.range(0));
  const auto extractor = *FeatureExtractor::Create({});
  std::vector<FeatureState> states = MakeStates(*extractor, streams);
  FeatureWorkspace workspace = extractor->MakeWorkspace();
  std::vector<FeatureFrame> frames(streams);
  std::vector<FeatureRequest> requests(streams);
  int64_t step = 0;
  for (auto _ : state) {
    for (int i = 0; i < streams; ++i) requests[i] = {Hop(step, i), &states[i], &frames[i]};
    extractor->Step(requests, workspace);
    ++step;
  }
  CountHops(state, streams * step);
}
BENCHMARK(BM_FeaturesBatch)->Arg(1)->Arg(16)->Arg(64)->Arg(256)->Unit(benchmark::kMicrosecond);

constexpr int kGroup = 12;

// A group of streams in the middle of the melody, with the parts of an estimate to be timed one by one.
class Group {
 public:
  Group() : analyses_(kGroup), states_(kGroup) {
    for (int i = 0; i < kGroup; ++i) {
      tracker_.Reset(states_[i]);
      tracker_.Look(Window(0, i), analyses_[i]);
    }
    tracker_.Compare(analyses_);
  }
  void Look(int64_t step) {
    for (int i = 0; i < kGroup; ++i) tracker_.Look(Window(step, i), analyses_[i]);
  }
  void Compare() { tracker_.Compare(analyses_); }
  void Decide() {
    for (int i = 0; i < kGroup; ++i) benchmark::DoNotOptimize(tracker_.Decide(Window(0, i), analyses_[i], states_[i]));
  }
  const PitchTracker::Analysis& analysis() const { return analyses_[0]; }

  static std::span<const float> Window(int64_t step, int stream) {
    return std::span(Melody()).subspan((step + 7 * stream) % (kHops - 4) * kHop, 2 * PitchTracker::kHalfWindow);
  }

 private:
  const PitchTracker tracker_{FeatureSettings()};
  std::vector<PitchTracker::Analysis> analyses_;
  std::vector<PitchState> states_;
};

// Spectra, autocorrelations and what is read from them, of four views.
void BM_PitchLook(benchmark::State& state) {
  Group group;
  int64_t step = 0;
  for (auto _ : state) group.Look(step++);
  CountHops(state, kGroup * state.iterations());
}
BENCHMARK(BM_PitchLook)->Unit(benchmark::kMicrosecond);

// Spectra against templates, a dozen streams together.
void BM_PitchCompare(benchmark::State& state) {
  Group group;
  for (auto _ : state) group.Compare();
  CountHops(state, kGroup * state.iterations());
}
BENCHMARK(BM_PitchCompare)->Unit(benchmark::kMicrosecond);

// Network, path and refinement.
void BM_PitchDecide(benchmark::State& state) {
  Group group;
  for (auto _ : state) group.Decide();
  CountHops(state, kGroup * state.iterations());
}
BENCHMARK(BM_PitchDecide)->Unit(benchmark::kMicrosecond);

// Of those, the network.
void BM_PitchNetwork(benchmark::State& state) {
  const Group group;
  const PitchNetwork network;
  std::array<const float*, PitchNetwork::kInputs> views;
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    views[2 * v] = group.analysis().views[v].at_period.data();
    views[2 * v + 1] = group.analysis().views[v].at_harmonics.data();
  }
  const std::array<float, PitchNetwork::kViews - 1> levels = {-1.0f, 0.0f, 1.0f};
  std::array<float, PitchGrid::kBins> evidence;
  for (auto _ : state) {
    network.Weigh(views, levels, evidence);
    benchmark::DoNotOptimize(evidence);
  }
  CountHops(state, state.iterations());
}
BENCHMARK(BM_PitchNetwork)->Unit(benchmark::kMicrosecond);

void BM_LoudnessAndPower(benchmark::State& state) {
  const LoudnessMeter loudness(16000, 512);
  int64_t step = 0;
  for (auto _ : state) {
    const std::span<const float> window = Group::Window(step++, 0);
    benchmark::DoNotOptimize(loudness.LoudnessDb(window.subspan(256, 512)));
    benchmark::DoNotOptimize(FramePowerDb(window));
  }
  CountHops(state, state.iterations());
}
BENCHMARK(BM_LoudnessAndPower)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ddsp
