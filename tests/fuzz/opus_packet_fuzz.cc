// No packet may crash the decoders of server and client, and one that the server counts decodes to as many samples.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "client/sdk/codec.h"
#include "server/session/codec.h"

namespace {

constexpr int kRates[] = {8000, 12000, 16000, 24000, 48000};

void Decode(ddsp::server::BlockDecoder& decoder, const std::string& packet) {
  const auto count = decoder.CountSamples(packet);
  std::vector<float> samples;
  const absl::Status decoded = decoder.Decode(packet, &samples);
  if (count.ok() && decoded.ok() && static_cast<int64_t>(samples.size()) != *count) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte: encoding and rate, then packets, each after a byte of its length.
  if (size == 0) return 0;
  const int kind = data[0] % 3, rate = kRates[data[0] / 3 % 5];
  const auto decoder =
      ddsp::server::MakeDecoder({.encoding = static_cast<ddsp::server::Encoding>(kind), .sample_rate = rate});
  const auto client = ddsp::client::MakeDecoder(static_cast<ddsp::client::Codec>(kind), rate);
  size_t at = 1;
  while (at < size) {
    const size_t length = std::min<size_t>(data[at], size - at - 1);
    const std::string packet(reinterpret_cast<const char*>(data) + at + 1, length);
    at += 1 + length;
    Decode(*decoder, packet);
    (*client)->Decode(packet).status().IgnoreError();
  }
  return 0;
}
