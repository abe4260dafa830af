// Samples to the bytes of audio blocks and back: 16-bit or float PCM, or Opus packets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp::client {

enum class Codec { kPcm16, kPcmFloat, kOpus };

// Length of the Opus packets that are sent.
inline constexpr int kOpusPacketMs = 20;

// The data of one audio block.
struct Packet {
  std::string data;
  int samples = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  // Samples that a packet takes exactly; 0 when any number will do.
  virtual int packet_samples() const = 0;
  // Samples by which decoded audio lags behind what was encoded.
  virtual int delay() const = 0;
  // Errors: INVALID_ARGUMENT (NaN or infinity where the codec has none).
  virtual absl::StatusOr<std::string> Encode(absl::Span<const float> samples) = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Errors: DATA_LOSS (bytes that are no packet).
  virtual absl::StatusOr<std::vector<float>> Decode(const std::string& data) = 0;
};

// Errors: INVALID_ARGUMENT (a rate that Opus does not have).
absl::StatusOr<std::unique_ptr<Encoder>> MakeEncoder(Codec codec, int sample_rate, int opus_bitrate);
absl::StatusOr<std::unique_ptr<Decoder>> MakeDecoder(Codec codec, int sample_rate);

}  // namespace ddsp::client
