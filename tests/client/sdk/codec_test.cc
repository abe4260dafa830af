#include "client/sdk/codec.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

std::vector<float> Sine(int rate, int samples) {
  std::vector<float> sine(samples);
  for (int n = 0; n < samples; ++n) sine[n] = 0.5f * std::sin(2 * M_PI * 440 * n / rate);
  return sine;
}

TEST(Codec, FloatIsExact) {
  const std::vector<float> samples = {0, 0.1f, -1.5f, 1e-20f};
  const std::string data = *(*MakeEncoder(Codec::kPcmFloat, 16000, 0))->Encode(samples);
  EXPECT_EQ(data.size(), 16);
  EXPECT_EQ(*(*MakeDecoder(Codec::kPcmFloat, 16000))->Decode(data), samples);
}

TEST(Codec, SixteenBitsRoundAndClip) {
  const std::string data = *(*MakeEncoder(Codec::kPcm16, 16000, 0))->Encode({{0.5f, 2.0f, -2.0f, 0.6f / 32768}});
  const std::vector<float> expected = {0.5f, 32767 / 32768.0f, -1, 1 / 32768.0f};
  EXPECT_EQ(*(*MakeDecoder(Codec::kPcm16, 16000))->Decode(data), expected);
}

TEST(Codec, OpusComesBackLateByItsDelay) {
  for (int rate : {8000, 12000, 16000, 24000, 48000}) {
    const auto encoder = *MakeEncoder(Codec::kOpus, rate, 64000);
    const auto decoder = *MakeDecoder(Codec::kOpus, rate);
    const int packet = encoder->packet_samples();
    ASSERT_EQ(packet, rate / 50);
    const std::vector<float> sine = Sine(rate, packet * 20);
    std::vector<float> decoded;
    for (size_t at = 0; at < sine.size(); at += packet) {
      const auto part = *decoder->Decode(*encoder->Encode(absl::MakeSpan(sine).subspan(at, packet)));
      decoded.insert(decoded.end(), part.begin(), part.end());
    }
    double error = 0, energy = 0;
    for (size_t n = sine.size() / 2; n + encoder->delay() < sine.size(); ++n) {
      error += std::pow(decoded[n + encoder->delay()] - sine[n], 2);
      energy += sine[n] * sine[n];
    }
    EXPECT_LT(error / energy, 0.01) << rate;  // a shift of one sample at 8 kHz would give 0.12
  }
}

TEST(Codec, RefusesWhatOpusDoesNotHave) {
  EXPECT_EQ(MakeEncoder(Codec::kOpus, 44100, 0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeDecoder(Codec::kOpus, 44100).status().code(), absl::StatusCode::kInvalidArgument);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ((*MakeEncoder(Codec::kPcm16, 16000, 0))->Encode({{nan}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Codec, BytesThatAreNoPacketAreDataLoss) {
  EXPECT_EQ((*MakeDecoder(Codec::kPcmFloat, 16000))->Decode("abc").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*MakeDecoder(Codec::kPcm16, 16000))->Decode("abc").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*MakeDecoder(Codec::kOpus, 16000))->Decode("\xFF").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ddsp::client
