#include "core/streaming/live_resampler.h"

#include <cmath>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

std::vector<float> Sine(double hz, int rate, int samples) {
  std::vector<float> out(samples);
  for (int n = 0; n < samples; ++n) out[n] = static_cast<float>(std::sin(2 * M_PI * hz * n / rate));
  return out;
}

std::vector<float> Resample(const std::vector<float>& in, int from, int to, size_t chunk) {
  LiveResampler resampler(from, to);
  std::vector<float> out;
  for (size_t at = 0; at < in.size(); at += chunk) {
    resampler.Process(absl::MakeSpan(in).subspan(at, chunk), &out);
  }
  return out;
}

const std::vector<std::pair<int, int>> kRates = {{48000, 16000}, {44100, 16000}, {16000, 44100}, {16000, 48000},
                                                 {8000, 16000},  {16000, 8000},  {22050, 16000}, {16001, 16000}};

TEST(LiveResampler, KeepsATonesPhaseAndLevel) {
  for (const auto& [from, to] : kRates) {
    const double hz = 1000;
    const std::vector<float> out = Resample(Sine(hz, from, from / 4), from, to, 128);
    const std::vector<float> expected = Sine(hz, to, static_cast<int>(out.size()));
    // Away from the edge at sample 0; 1e-3 is the ripple of a 70 dB filter and of its interpolated rows.
    for (size_t n = to / 50; n < out.size(); ++n)
      ASSERT_NEAR(out[n], expected[n], 1e-3) << from << " to " << to << " at " << n;
  }
}

TEST(LiveResampler, SilencesWhatWouldAlias) {
  const std::vector<float> out = Resample(Sine(9000, 48000, 24000), 48000, 16000, 480);
  for (size_t n = 400; n < out.size(); ++n) ASSERT_LT(std::fabs(out[n]), 1e-3) << n;
}

TEST(LiveResampler, AnyCuttingGivesTheSameSamples) {
  const std::vector<float> in = Sine(440, 44100, 5000);
  const std::vector<float> whole = Resample(in, 44100, 16000, in.size());
  for (const size_t chunk : {1, 7, 441, 997}) EXPECT_EQ(Resample(in, 44100, 16000, chunk), whole) << chunk;
}

TEST(LiveResampler, GivesASampleAsSoonAsItsLookaheadIsThere) {
  for (const auto& [from, to] : kRates) {
    LiveResampler resampler(from, to);
    std::vector<float> out;
    const float sample = 1;
    EXPECT_LE(resampler.lookahead(), 0.003 * from);
    for (int64_t fed = 1; fed < 2000; ++fed) {
      resampler.Process({&sample, 1}, &out);
      // Sample j needs input up to floor(j from / to) + lookahead.
      const int64_t last =
          out.empty() ? -1 : (static_cast<int64_t>(out.size()) - 1) * from / to + resampler.lookahead();
      const int64_t next = static_cast<int64_t>(out.size()) * from / to + resampler.lookahead();
      ASSERT_LT(last, fed);
      ASSERT_GE(next, fed);
    }
  }
}

TEST(LiveResampler, EqualRatesPassThrough) {
  const std::vector<float> in = Sine(440, 16000, 100);
  EXPECT_EQ(Resample(in, 16000, 16000, 7), in);
  EXPECT_EQ(LiveResampler(16000, 16000).lookahead(), 0);
}

}  // namespace
}  // namespace ddsp
