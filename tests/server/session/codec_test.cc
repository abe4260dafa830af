#include "server/session/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opus/opus.h>

#include <cmath>

#include "server/errors/errors.h"
#include "tests/server/support/requests.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FloatBytes;
using ddsp::testing::FloatsOf;

constexpr double kPi = 3.14159265358979323846;

std::vector<float> Sine(int rate, int samples) {
  std::vector<float> sine(samples);
  for (int i = 0; i < samples; ++i) sine[i] = static_cast<float>(0.5 * std::sin(2 * kPi * 440 * i / rate));
  return sine;
}

std::vector<float> DecodeAll(BlockDecoder& decoder, const std::vector<std::string>& blocks) {
  std::vector<float> samples;
  for (const std::string& block : blocks) EXPECT_TRUE(decoder.Decode(block, &samples).ok());
  return samples;
}

TEST(Pcm16, RoundTripsEveryValue) {
  std::string all;
  for (int value = -32768; value <= 32767; ++value) {
    all.push_back(static_cast<char>(value & 255));
    all.push_back(static_cast<char>((value >> 8) & 255));
  }
  std::vector<float> samples;
  ASSERT_TRUE(MakeDecoder({Encoding::kPcm16, 16000})->Decode(all, &samples).ok());
  EXPECT_EQ(samples.front(), -1.0f);
  EXPECT_EQ(MakeEncoder({Encoding::kPcm16, 16000}, 0)->Encode(samples), all);
}

TEST(Pcm16, ClipsInsteadOfWrapping) {
  const std::string bytes = MakeEncoder({Encoding::kPcm16, 16000}, 0)->Encode({2.0f, -2.0f});
  EXPECT_EQ(bytes, std::string("\xff\x7f\x00\x80", 4));
}

TEST(PcmFloat, PassesSamplesUnchanged) {
  const std::vector<float> samples = {0.0f, -1.5f, 1e-30f, 3.0f};
  EXPECT_EQ(FloatsOf(MakeEncoder({Encoding::kPcmFloat, 16000}, 0)->Encode(samples)), samples);
  EXPECT_EQ(DecodeAll(*MakeDecoder({Encoding::kPcmFloat, 16000}), {FloatBytes(samples)}), samples);
}

TEST(PcmFloat, RefusesNanAndInfinity) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> samples;
    const absl::Status error = MakeDecoder({Encoding::kPcmFloat, 16000})->Decode(FloatBytes({0.0f, bad}), &samples);
    EXPECT_EQ(ReasonOf(error), "AUDIO_NOT_FINITE");
    EXPECT_EQ(MetadataOf(error)["sample"], "1");
  }
}

TEST(Pcm, RefusesPartsOfSamples) {
  EXPECT_EQ(ReasonOf(MakeDecoder({Encoding::kPcm16, 16000})->CountSamples("abc").status()), "BLOCK_MALFORMED");
  EXPECT_EQ(ReasonOf(MakeDecoder({Encoding::kPcmFloat, 16000})->CountSamples("abcdef").status()), "BLOCK_MALFORMED");
}

class OpusTest : public ::testing::TestWithParam<int> {};

// What comes out, the delay skipped, lines up with what went in.
TEST_P(OpusTest, LinesUpAfterTheDeclaredDelay) {
  const int rate = GetParam(), packet = rate / 50;
  const std::vector<float> sine = Sine(rate, packet * 25);
  const auto encoder = MakeEncoder({Encoding::kOpus, rate}, 64000);
  std::vector<std::string> packets;
  for (int at = 0; at < static_cast<int>(sine.size()); at += packet) {
    packets.push_back(encoder->Encode(absl::MakeSpan(sine).subspan(at, packet)));
  }
  const std::vector<float> decoded = DecodeAll(*MakeDecoder({Encoding::kOpus, rate}), packets);
  ASSERT_EQ(decoded.size(), sine.size());
  double error = 0, power = 0;
  for (size_t i = rate / 10; i + encoder->delay() < decoded.size(); ++i) {
    error += std::pow(decoded[i + encoder->delay()] - sine[i], 2);
    power += std::pow(sine[i], 2);
  }
  EXPECT_LT(10 * std::log10(error / power), -20.0);  // a delay off by one sample at 8 kHz would give -9 dB
}

TEST_P(OpusTest, LooksAheadAsLittleAsItCan) {
  EXPECT_EQ(MakeEncoder({Encoding::kOpus, GetParam()}, 0)->delay(), GetParam() * 25 / 10000);
}

// Of clients that do not tell theirs.
TEST_P(OpusTest, SuspectsOthersOfLookingFurther) {
  EXPECT_EQ(MakeDecoder({Encoding::kOpus, GetParam()})->delay(), GetParam() * 65 / 10000);
}

// By the level of the noise, whatever the settings cost.
TEST(Opus, KeepsAnInstrumentCleanByDefault) {
  const int rate = 16000, packet = rate / 50;
  std::vector<float> tone(packet * 50);
  for (size_t i = 0; i < tone.size(); ++i) {
    for (int k = 1; k <= 12; ++k) tone[i] += 0.3f / k * std::sin(2 * M_PI * 330.0 * k * i / rate + k);
  }
  const auto encoder = MakeEncoder({Encoding::kOpus, rate}, 0);
  std::vector<std::string> packets;
  for (size_t at = 0; at < tone.size(); at += packet) {
    packets.push_back(encoder->Encode(absl::MakeSpan(tone).subspan(at, packet)));
  }
  const std::vector<float> decoded = DecodeAll(*MakeDecoder({Encoding::kOpus, rate}), packets);
  double error = 0, power = 0;
  for (size_t i = rate / 5; i + encoder->delay() < decoded.size(); ++i) {
    error += std::pow(decoded[i + encoder->delay()] - tone[i], 2);
    power += std::pow(tone[i], 2);
  }
  EXPECT_LT(10 * std::log10(error / power), -30.0);
}

INSTANTIATE_TEST_SUITE_P(Rates, OpusTest, ::testing::Values(8000, 12000, 16000, 24000, 48000));

TEST(Opus, TakesPacketsOfEveryLength) {
  const int rate = 48000;
  const auto decoder = MakeDecoder({Encoding::kOpus, rate});
  for (const int tenths : {25, 50, 100, 200, 400, 600}) {
    const int samples = rate * tenths / 10000;
    const std::string packet = MakeEncoder({Encoding::kOpus, rate}, 0)->Encode(Sine(rate, samples));
    EXPECT_EQ(*decoder->CountSamples(packet), samples);
    EXPECT_EQ(DecodeAll(*decoder, {packet}).size(), static_cast<size_t>(samples));
  }
}

TEST(Opus, RefusesWhatIsNoPacket) {
  const auto decoder = MakeDecoder({Encoding::kOpus, 16000});
  // Empty; code 3 without its count; code 3 with 63 frames; code 1 (two equal frames) of odd length.
  for (const std::string& broken :
       {std::string(), std::string("\xff"), std::string("\xff\x3f"), std::string("\x01\x02\x03\x04")}) {
    std::vector<float> samples;
    absl::Status error = decoder->CountSamples(broken).status();
    if (error.ok()) error = decoder->Decode(broken, &samples);
    EXPECT_EQ(ReasonOf(error), "OPUS_PACKET_INVALID") << broken.size() << " bytes";
  }
}

}  // namespace
}  // namespace ddsp::server
