// Everything that the device thread does for a tick: features, decoder, synthesis, reverb of a full-size voice.
// realtime: seconds of audio made per second of one core, all streams together.
#include <benchmark/benchmark.h>

#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/random_voice.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

std::shared_ptr<const Voice> FullSizeVoice(const char* recipe, const char* arithmetic) {
  return std::make_shared<Voice>(*MakeRandomVoice({.recipe = recipe, .name = "random", .arithmetic = arithmetic}));
}

void StepStreams(benchmark::State& state, StreamInput input, const char* recipe, const char* arithmetic) {
  const int streams = static_cast<int>(state.range(0));
  const auto engine = *BatchVoiceEngine::Create(FullSizeVoice(recipe, arithmetic), streams);
  const StreamFormat format = engine->format(StreamInput::kAudio);
  const int hop = format.hop_size, input_hop = format.input_hop;
  const std::vector<float> audio = testing::TestMelody(160000);
  std::vector<float> output(streams * hop);
  std::vector<HopRequest> requests(streams);
  for (int i = 0; i < streams; ++i) {
    StreamSettings settings;
    settings.seed = i;
    settings.input = input;
    engine->Reset(i, settings).IgnoreError();
    requests[i].slot = i;
    requests[i].control = {300.0f + i, -25.0f};
    requests[i].output = absl::MakeSpan(output).subspan(i * hop, hop);
  }
  const auto workspace = engine->MakeWorkspace();
  int64_t step = 0;
  for (auto _ : state) {
    for (int i = 0; i < streams; ++i) {
      requests[i].audio = absl::MakeSpan(audio).subspan((step + 7 * i) % 400 * input_hop, input_hop);
    }
    benchmark::DoNotOptimize(engine->Step(requests, *workspace));
    ++step;
  }
  const double seconds = static_cast<double>(step) * streams * hop / format.sample_rate;
  state.counters["realtime"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
}
// A microphone in.
void BM_EngineAudio(benchmark::State& state, const char* recipe, const char* arithmetic) {
  StepStreams(state, StreamInput::kAudio, recipe, arithmetic);
}
// Controls in: the same without pitch and power.
void BM_EngineControls(benchmark::State& state, const char* recipe, const char* arithmetic) {
  StepStreams(state, StreamInput::kControls, recipe, arithmetic);
}

void Streams(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1)->Arg(8)->Arg(64)->Arg(256)->Unit(benchmark::kMicrosecond)->MinTime(0.5);
}
BENCHMARK_CAPTURE(BM_EngineAudio, vst, "vst", "float32")->Apply(Streams);
BENCHMARK_CAPTURE(BM_EngineAudio, vst_int16, "vst", "int16")->Apply(Streams);
BENCHMARK_CAPTURE(BM_EngineAudio, vst_48k, "vst_48k", "float32")->Apply(Streams);
BENCHMARK_CAPTURE(BM_EngineAudio, solo, "solo_instrument", "float32")->Apply(Streams);
BENCHMARK_CAPTURE(BM_EngineAudio, solo_int16, "solo_instrument", "int16")->Apply(Streams);
BENCHMARK_CAPTURE(BM_EngineControls, vst, "vst", "float32")->Apply(Streams);

}  // namespace
}  // namespace ddsp
