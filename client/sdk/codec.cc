#include "client/sdk/codec.h"

#include <opus/opus.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ddsp::client {
namespace {

static_assert(std::endian::native == std::endian::little, "PCM is copied to the wire as it is");

constexpr int kMaxOpusPacketBytes = 1275 * 3 + 7;
constexpr int kMaxOpusPacketMs = 120;
// Complexity 0 takes half the time of 5, whose pitch filter gains 2 dB; so do 8 kbit/s more.
constexpr int kOpusComplexity = 0;
// The library's own default is 19 kbit/s at 16 kHz, which a pitch tracker hears.
constexpr int kDefaultBitrate = 72000;

absl::Status CheckFinite(absl::Span<const float> samples) {
  for (size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("sample ", i, " of the write is ", samples[i], "; it must be finite"));
    }
  }
  return absl::OkStatus();
}

// Sends what it is given, NaN included: the server has the say.
class FloatEncoder : public Encoder {
 public:
  int packet_samples() const override { return 0; }
  int delay() const override { return 0; }
  absl::StatusOr<std::string> Encode(absl::Span<const float> samples) override {
    return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
  }
};

class Pcm16Encoder : public Encoder {
 public:
  int packet_samples() const override { return 0; }
  int delay() const override { return 0; }
  absl::StatusOr<std::string> Encode(absl::Span<const float> samples) override {
    if (absl::Status status = CheckFinite(samples); !status.ok()) return status;
    std::string data(samples.size() * sizeof(int16_t), '\0');
    for (size_t i = 0; i < samples.size(); ++i) {
      const auto value = static_cast<int16_t>(std::lrint(std::clamp(samples[i] * 32768.0f, -32768.0f, 32767.0f)));
      std::memcpy(&data[i * sizeof value], &value, sizeof value);
    }
    return data;
  }
};

struct DestroyOpus {
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};

class OpusPacketEncoder : public Encoder {
 public:
  OpusPacketEncoder(OpusEncoder* encoder, int packet_samples) : encoder_(encoder), packet_samples_(packet_samples) {
    opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&delay_));
  }
  int packet_samples() const override { return packet_samples_; }
  int delay() const override { return delay_; }
  absl::StatusOr<std::string> Encode(absl::Span<const float> samples) override {
    if (absl::Status status = CheckFinite(samples); !status.ok()) return status;
    std::string data(kMaxOpusPacketBytes, '\0');
    const int size = opus_encode_float(encoder_.get(), samples.data(), static_cast<int>(samples.size()),
                                       reinterpret_cast<unsigned char*>(data.data()), kMaxOpusPacketBytes);
    if (size < 0) return absl::InternalError(absl::StrCat("Opus encoder: ", opus_strerror(size)));
    data.resize(size);
    return data;
  }

 private:
  const std::unique_ptr<OpusEncoder, DestroyOpus> encoder_;
  const int packet_samples_;
  opus_int32 delay_ = 0;
};

class FloatDecoder : public Decoder {
 public:
  absl::StatusOr<std::vector<float>> Decode(const std::string& data) override {
    if (data.size() % sizeof(float) != 0)
      return absl::DataLossError(absl::StrCat(data.size(), " bytes are no float samples"));
    std::vector<float> samples(data.size() / sizeof(float));
    if (!samples.empty()) std::memcpy(samples.data(), data.data(), data.size());
    return samples;
  }
};

class Pcm16Decoder : public Decoder {
 public:
  absl::StatusOr<std::vector<float>> Decode(const std::string& data) override {
    if (data.size() % sizeof(int16_t) != 0)
      return absl::DataLossError(absl::StrCat(data.size(), " bytes are no 16-bit samples"));
    std::vector<float> samples(data.size() / sizeof(int16_t));
    for (size_t i = 0; i < samples.size(); ++i) {
      int16_t value;
      std::memcpy(&value, &data[i * sizeof value], sizeof value);
      samples[i] = value / 32768.0f;
    }
    return samples;
  }
};

class OpusPacketDecoder : public Decoder {
 public:
  OpusPacketDecoder(OpusDecoder* decoder, int max_samples) : decoder_(decoder), max_samples_(max_samples) {}
  absl::StatusOr<std::vector<float>> Decode(const std::string& data) override {
    std::vector<float> samples(max_samples_);
    const int count = opus_decode_float(decoder_.get(), reinterpret_cast<const unsigned char*>(data.data()),
                                        static_cast<opus_int32>(data.size()), samples.data(), max_samples_, 0);
    if (count < 0)
      return absl::DataLossError(absl::StrCat("Opus packet of ", data.size(), " bytes: ", opus_strerror(count)));
    samples.resize(count);
    return samples;
  }

 private:
  const std::unique_ptr<OpusDecoder, DestroyOpus> decoder_;
  const int max_samples_;
};

absl::Status BadRate(int sample_rate) {
  return absl::InvalidArgumentError(
      absl::StrCat("Opus has no sample rate of ", sample_rate, " Hz; use 8000, 12000, 16000, 24000 or 48000"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Encoder>> MakeEncoder(Codec codec, int sample_rate, int opus_bitrate) {
  if (codec == Codec::kPcmFloat) return std::make_unique<FloatEncoder>();
  if (codec == Codec::kPcm16) return std::make_unique<Pcm16Encoder>();
  int error = OPUS_OK;
  // Looks 2.5 ms ahead; the others 6.5, and may fall into coding speech.
  OpusEncoder* encoder = opus_encoder_create(sample_rate, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
  if (error != OPUS_OK) return BadRate(sample_rate);
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(kOpusComplexity));
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(opus_bitrate > 0 ? opus_bitrate : kDefaultBitrate));
  return std::make_unique<OpusPacketEncoder>(encoder, sample_rate * kOpusPacketMs / 1000);
}

absl::StatusOr<std::unique_ptr<Decoder>> MakeDecoder(Codec codec, int sample_rate) {
  if (codec == Codec::kPcmFloat) return std::make_unique<FloatDecoder>();
  if (codec == Codec::kPcm16) return std::make_unique<Pcm16Decoder>();
  int error = OPUS_OK;
  OpusDecoder* decoder = opus_decoder_create(sample_rate, 1, &error);
  if (error != OPUS_OK) return BadRate(sample_rate);
  return std::make_unique<OpusPacketDecoder>(decoder, sample_rate * kMaxOpusPacketMs / 1000);
}

}  // namespace ddsp::client
