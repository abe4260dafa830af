// No bytes may crash the reader of WAV files, and what is read keeps its length when it is written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/wav.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto wav = ddsp::ParseWav(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!wav.ok()) return 0;
  for (const auto encoding : {ddsp::WavEncoding::kPcm16, ddsp::WavEncoding::kFloat32}) {
    const auto again = ddsp::ParseWav(ddsp::FormatWav(*wav, encoding));
    if (!again.ok() || again->sample_rate != wav->sample_rate || again->channels != wav->channels ||
        again->samples.size() != wav->samples.size())
      std::abort();
  }
  return 0;
}
