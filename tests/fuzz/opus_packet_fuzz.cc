// No packet may crash the decoder, and one that it counts decodes to as many samples.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "server/session/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte: encoding and rate, then packets, each after a byte of its length.
  if (size == 0) return 0;
  constexpr int kRates[] = {8000, 12000, 16000, 24000, 48000};
  const auto encoding = static_cast<ddsp::server::Encoding>(data[0] % 3);
  const auto decoder = ddsp::server::MakeDecoder({.encoding = encoding, .sample_rate = kRates[data[0] / 3 % 5]});
  size_t at = 1;
  while (at < size) {
    const size_t length = std::min<size_t>(data[at], size - at - 1);
    const std::string packet(reinterpret_cast<const char*>(data) + at + 1, length);
    at += 1 + length;
    const auto count = decoder->CountSamples(packet);
    std::vector<float> samples;
    const absl::Status decoded = decoder->Decode(packet, &samples);
    if (count.ok() && decoded.ok() && static_cast<int64_t>(samples.size()) != *count) std::abort();
  }
  return 0;
}
