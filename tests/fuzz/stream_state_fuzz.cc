// No bytes may crash what restores a stream, nor the stream that goes on with what was taken for a state. The first
// byte tells the length of the engine's part; the rest is the framer's.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/stream_framer.h"
#include "tests/support/test_voice.h"

namespace {

ddsp::BatchVoiceEngine& Engine() {
  static ddsp::BatchVoiceEngine& engine = *[] {
    ddsp::testing::TestVoiceOptions options;
    options.rnn_channels = 4;
    options.channels = 4;
    options.harmonics = 3;
    options.noise_bands = 5;
    options.reverb_length = 100;
    return ddsp::BatchVoiceEngine::Create(std::make_shared<ddsp::Voice>(ddsp::testing::MakeTestVoice(options)), 1)
        ->release();
  }();
  return engine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t split = std::min<size_t>(size, 2 + 256 * size_t{data[0]} + data[1]);
  ddsp::StreamSettings settings;
  settings.resumable = true;
  ddsp::BatchVoiceEngine& engine = Engine();
  if (!engine.Restore(0, settings, bytes.substr(2, split - 2)).ok() && !engine.Reset(0, settings).ok()) std::abort();
  const auto framer = *ddsp::StreamFramer::Create(
      {.format = engine.format(ddsp::StreamInput::kAudio), .input_rate = 48000, .output_rate = 22050});
  if (!framer->Restore(bytes.substr(split)).ok()) return 0;
  const auto workspace = engine.MakeWorkspace();
  framer->PushAudio(std::vector<float>(2000, 0.1f));
  for (int hop = 0; hop < 3 && framer->HopReady(); ++hop) {
    const ddsp::HopRequest request = framer->NextHop();
    engine.Step({request}, *workspace);
    framer->CompleteHop();
    if (framer->due() < 0) std::abort();
    std::vector<float> out(std::min<int64_t>(framer->due(), 10000));
    framer->Pop(absl::MakeSpan(out));
  }
  return 0;
}
