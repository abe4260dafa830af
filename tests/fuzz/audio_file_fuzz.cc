// No recording may crash what reads it, whatever libsndfile takes it for; what is read is finite and can be resampled.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ddsp::fuzz::InputFile file(std::string_view(reinterpret_cast<const char*>(data), size));
  const auto audio = ddsp::ReadAudioFile(file.path());
  if (!audio.ok()) return 0;
  if (audio->samples.empty()) std::abort();
  for (const float sample : audio->samples) {
    if (!std::isfinite(sample)) std::abort();
  }
  constexpr size_t kMost = 20000;
  if (audio->samples.size() > kMost) return 0;
  const auto resampled = ddsp::ResampleFile(audio->samples, audio->sample_rate, 16000);
  if (!resampled.ok() || resampled->empty()) std::abort();
  return 0;
}
