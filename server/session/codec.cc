#include "server/session/codec.h"

#include <opus/opus.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

static_assert(std::endian::native == std::endian::little, "PCM is copied from and to the wire as it is");

constexpr int kMaxOpusPacketMs = 120;
// After so much of it a decoder has forgotten what it does not know (RFC 7845, 4.2, wants 80 ms).
constexpr int kOpusMemoryMs = 120;
constexpr int kMaxOpusPacketBytes = 1275 * 3 + 7;
// Complexity 0 takes half the time of 5, whose pitch filter gains 2 dB for instruments; so do 8 kbit/s more, of which
// nobody minds the cost.
constexpr int kOpusComplexity = 0;
constexpr int kDefaultBitrate = 72000;
// Unless a client tells: what Opus encoders look ahead but for those that are made for low delay.
constexpr int kUsualDelayMicros = 6500;

absl::StatusOr<int64_t> WholeSamples(const std::string& data, size_t sample_bytes) {
  if (data.size() % sample_bytes == 0) return static_cast<int64_t>(data.size() / sample_bytes);
  return MakeError(
      Reason::kBlockMalformed,
      absl::StrCat("a block of ", data.size(), " bytes is no whole number of ", sample_bytes, "-byte samples"),
      {{"bytes", absl::StrCat(data.size())}});
}

class Pcm16Decoder : public BlockDecoder {
 public:
  absl::StatusOr<int64_t> CountSamples(const std::string& data) const override { return WholeSamples(data, 2); }
  absl::Status Decode(const std::string& data, std::vector<float>* samples) override {
    if (data.empty()) return absl::OkStatus();  // memcpy takes no null, whatever the size
    std::vector<int16_t> integers(data.size() / 2);
    std::memcpy(integers.data(), data.data(), integers.size() * 2);
    for (const int16_t value : integers) samples->push_back(static_cast<float>(value) / 32768.0f);
    return absl::OkStatus();
  }
};

class PcmFloatDecoder : public BlockDecoder {
 public:
  absl::StatusOr<int64_t> CountSamples(const std::string& data) const override { return WholeSamples(data, 4); }
  absl::Status Decode(const std::string& data, std::vector<float>* samples) override {
    if (data.empty()) return absl::OkStatus();
    const size_t at = samples->size();
    samples->resize(at + data.size() / 4);
    std::memcpy(samples->data() + at, data.data(), data.size() / 4 * 4);
    for (size_t i = at; i < samples->size(); ++i) {
      if (std::isfinite((*samples)[i])) continue;
      return MakeError(Reason::kAudioNotFinite, absl::StrCat("sample ", i - at, " of the block is ", (*samples)[i]),
                       {{"sample", absl::StrCat(i - at)}});
    }
    return absl::OkStatus();
  }
};

struct DestroyOpus {
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};

// Of 2.5 ms look-ahead: the others may fall into coding speech, which an instrument is not, and take 4 ms for it.
OpusEncoder* NewOpusEncoder(int rate) {
  int error = OPUS_OK;
  OpusEncoder* encoder = opus_encoder_create(rate, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
  DDSP_CHECK(error == OPUS_OK, "the rate was checked with the config");
  return encoder;
}

int OpusLookahead(OpusEncoder* encoder) {
  opus_int32 lookahead = 0;
  opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&lookahead));
  return lookahead;
}

absl::Status InvalidPacket(const std::string& data, int error) {
  return MakeError(
      Reason::kOpusPacketInvalid,
      absl::StrCat("Opus packet of ", data.size(), " bytes: ", data.empty() ? "empty" : opus_strerror(error)),
      {{"bytes", absl::StrCat(data.size())}});
}

const unsigned char* Bytes(const std::string& data) { return reinterpret_cast<const unsigned char*>(data.data()); }

class OpusBlockDecoder : public BlockDecoder {
 public:
  explicit OpusBlockDecoder(int rate) : rate_(rate) {
    int error = OPUS_OK;
    decoder_.reset(opus_decoder_create(rate, 1, &error));
    DDSP_CHECK(error == OPUS_OK, "the rate was checked with the config");
  }

  absl::StatusOr<int64_t> CountSamples(const std::string& data) const override {
    const int count = data.empty()
                          ? OPUS_INVALID_PACKET
                          : opus_packet_get_nb_samples(Bytes(data), static_cast<opus_int32>(data.size()), rate_);
    if (count <= 0) return InvalidPacket(data, count);
    return count;
  }

  absl::Status Decode(const std::string& data, std::vector<float>* samples) override {
    const size_t at = samples->size();
    const int most = rate_ * kMaxOpusPacketMs / 1000;
    samples->resize(at + most);
    const int count = opus_decode_float(decoder_.get(), Bytes(data), static_cast<opus_int32>(data.size()),
                                        samples->data() + at, most, 0);
    samples->resize(at + std::max(0, count));
    return count < 0 ? InvalidPacket(data, count) : absl::OkStatus();
  }

  int64_t memory() const override { return int64_t{rate_} * kOpusMemoryMs / 1000; }
  int delay() const override { return static_cast<int>(int64_t{rate_} * kUsualDelayMicros / 1'000'000); }

 private:
  const int rate_;
  std::unique_ptr<OpusDecoder, DestroyOpus> decoder_;
};

class Pcm16Encoder : public BlockEncoder {
 public:
  std::string Encode(absl::Span<const float> samples) override {
    std::string data(samples.size() * 2, '\0');
    for (size_t i = 0; i < samples.size(); ++i) {
      const auto value = static_cast<int16_t>(std::lrint(std::clamp(samples[i] * 32768.0f, -32768.0f, 32767.0f)));
      std::memcpy(&data[i * 2], &value, 2);
    }
    return data;
  }
};

class PcmFloatEncoder : public BlockEncoder {
 public:
  std::string Encode(absl::Span<const float> samples) override {
    return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
  }
};

class OpusBlockEncoder : public BlockEncoder {
 public:
  OpusBlockEncoder(int rate, int bitrate)
      : encoder_(NewOpusEncoder(rate)),
        delay_(OpusLookahead(encoder_.get())),
        memory_(int64_t{rate} * kOpusMemoryMs / 1000) {
    opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(bitrate == 0 ? kDefaultBitrate : bitrate));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(kOpusComplexity));
  }

  std::string Encode(absl::Span<const float> samples) override {
    unsigned char packet[kMaxOpusPacketBytes];
    const int size = opus_encode_float(encoder_.get(), samples.data(), static_cast<int>(samples.size()), packet,
                                       kMaxOpusPacketBytes);
    DDSP_CHECK(size > 0, "blocks have a packet length of Opus");
    if (std::exchange(resumed_, false)) opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(0));
    return std::string(reinterpret_cast<const char*>(packet), size);
  }

  int64_t memory() const override { return memory_; }

  // libopus gives no state away. Its transform overlaps with samples alone; what is predicted from packets before, the
  // levels of bands, is not, for one packet: so it fits what another encoder has made.
  void GoOnAfter(absl::Span<const float> samples, int block) override {
    for (; samples.size() >= static_cast<size_t>(block); samples.remove_prefix(block)) Encode(samples.first(block));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(1));
    resumed_ = true;
  }

  int delay() const override { return delay_; }
  bool whole_blocks() const override { return true; }

 private:
  const std::unique_ptr<OpusEncoder, DestroyOpus> encoder_;
  const int delay_;
  const int64_t memory_;
  bool resumed_ = false;
};

}  // namespace

std::unique_ptr<BlockDecoder> MakeDecoder(const WireFormat& format) {
  switch (format.encoding) {
    case Encoding::kPcm16:
      return std::make_unique<Pcm16Decoder>();
    case Encoding::kPcmFloat:
      return std::make_unique<PcmFloatDecoder>();
    case Encoding::kOpus:
      break;
  }
  return std::make_unique<OpusBlockDecoder>(format.sample_rate);
}

std::unique_ptr<BlockEncoder> MakeEncoder(const WireFormat& format, int bitrate) {
  switch (format.encoding) {
    case Encoding::kPcm16:
      return std::make_unique<Pcm16Encoder>();
    case Encoding::kPcmFloat:
      return std::make_unique<PcmFloatEncoder>();
    case Encoding::kOpus:
      break;
  }
  return std::make_unique<OpusBlockEncoder>(format.sample_rate, bitrate);
}

}  // namespace ddsp::server
