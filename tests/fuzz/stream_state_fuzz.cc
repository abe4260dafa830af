// No bytes may crash what restores a stream, nor the stream that goes on with what was taken for a state. The first two
// bytes tell the length of the engine's part; the rest is the framer's.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
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

ddsp::StreamSettings Settings() {
  ddsp::StreamSettings settings;
  settings.resumable = true;
  return settings;
}

std::unique_ptr<ddsp::StreamFramer> MakeFramer() {
  return *ddsp::StreamFramer::Create(
      {.format = Engine().format(ddsp::StreamInput::kAudio), .input_rate = 48000, .output_rate = 22050});
}

void Run(ddsp::StreamFramer& framer) {
  const auto workspace = Engine().MakeWorkspace();
  if (!framer.finished()) framer.PushAudio(std::vector<float>(2000, 0.1f));
  for (int hop = 0; hop < 3 && framer.HopReady(); ++hop) {
    const ddsp::HopRequest request = framer.NextHop();
    Engine().Step({request}, *workspace);
    framer.CompleteHop();
    if (framer.due() < 0) std::abort();
    std::vector<float> out(std::min<int64_t>(framer.due(), 10000));
    framer.Pop(absl::MakeSpan(out));
  }
}

std::string Join(const std::string& engine, const std::string& framer) {
  return std::string{static_cast<char>(engine.size() / 256), static_cast<char>(engine.size() % 256)} + engine + framer;
}

// Of a stream that is well, before and after the end of its input.
std::vector<std::string> GoodStates() {
  if (!Engine().Reset(0, Settings()).ok()) std::abort();
  const auto framer = MakeFramer();
  for (int i = 0; i < 4; ++i) Run(*framer);
  const std::string open = Join(*Engine().Save(0), framer->Save());
  framer->Finish();
  return {open, Join(*Engine().Save(0), framer->Save())};
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Now and then begins with a good state.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  static const auto& states = *new std::vector<std::string>(GoodStates());
  std::minstd_rand random(seed);
  const std::string& good = states[random() % states.size()];
  if (random() % 16 == 0 && good.size() <= max_size) {
    std::copy(good.begin(), good.end(), data);
    size = good.size();
    if (random() % 4 == 0) return size;
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t split = std::min<size_t>(size, 2 + 256 * size_t{data[0]} + data[1]);
  if (!Engine().Restore(0, Settings(), bytes.substr(2, split - 2)).ok() && !Engine().Reset(0, Settings()).ok())
    std::abort();
  const auto framer = MakeFramer();
  if (framer->Restore(bytes.substr(split)).ok()) Run(*framer);
  return 0;
}
