#include "core/features/feature_extractor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

const int kFrameRates[] = {25, 50, 100, 125, 128, 250};

std::unique_ptr<FeatureExtractor> MakeExtractor(int frame_rate) {
  return *FeatureExtractor::Create({.frame_rate = frame_rate});
}

std::vector<float> Tone(double hz, int samples, double level = 0.3) {
  std::vector<float> result(samples);
  for (int i = 0; i < samples; ++i) {
    const double phase = 2.0 * std::numbers::pi * hz * i / 16000.0;
    result[i] =
        static_cast<float>(level * (std::sin(phase) + 0.5 * std::sin(2.0 * phase) + 0.3 * std::sin(3.0 * phase)));
  }
  return result;
}

std::vector<float> Noise(int samples, double rms, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> result(samples);
  for (float& x : result) x = static_cast<float>(rms) * normal(random);
  return result;
}

// Notes with silence and noise between them.
std::vector<float> Melody() {
  std::vector<float> result;
  for (double hz : {220.0, 311.1, 98.0, 0.0, 880.0, 1760.0, -1.0, 330.0}) {
    const std::vector<float> part = hz > 0.0 ? Tone(hz, 4001) : Noise(3000, hz < 0.0 ? 0.1 : 0.0);
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

void ExpectSameBits(const FeatureFrame& a, const FeatureFrame& b, size_t t) {
  const auto bits = [](float x) { return std::bit_cast<uint32_t>(x); };
  ASSERT_EQ(bits(a.f0_hz), bits(b.f0_hz)) << t;
  ASSERT_EQ(bits(a.f0_confidence), bits(b.f0_confidence)) << t;
  ASSERT_EQ(a.voiced, b.voiced) << t;
  ASSERT_EQ(bits(a.loudness_db), bits(b.loudness_db)) << t;
  ASSERT_EQ(bits(a.power_db), bits(b.power_db)) << t;
}

void ExpectFiniteInRange(const FeatureFrame& frame) {
  EXPECT_GE(frame.f0_hz, 50.0f);
  EXPECT_LE(frame.f0_hz, 2100.0f);
  EXPECT_GE(frame.f0_confidence, 0.0f);
  EXPECT_LE(frame.f0_confidence, 1.0f);
  EXPECT_TRUE(std::isfinite(frame.loudness_db) && std::isfinite(frame.power_db));
}

// Cuts a stream into hops, with the preroll in front and the warm-up left out.
class Framer {
 public:
  explicit Framer(const FeatureExtractor& extractor)
      : extractor_(extractor), state_(extractor.MakeState()), pending_(extractor.preroll(), 0.0f) {}

  void Push(std::span<const float> samples) {
    pending_.insert(pending_.end(), samples.begin(), samples.end());
    while (pending_.size() >= static_cast<size_t>(extractor_.hop())) {
      const FeatureFrame frame = extractor_.Step(std::span<const float>(pending_).first(extractor_.hop()), state_);
      pending_.erase(pending_.begin(), pending_.begin() + extractor_.hop());
      if (steps_++ >= extractor_.warmup_steps()) frames_.push_back(frame);
    }
  }
  const std::vector<FeatureFrame>& frames() const { return frames_; }

 private:
  const FeatureExtractor& extractor_;
  FeatureState state_;
  std::vector<float> pending_;
  std::vector<FeatureFrame> frames_;
  int steps_ = 0;
};

TEST(FeatureExtractor, LatencyAddsUp) {
  for (int rate : kFrameRates) {
    const auto extractor = MakeExtractor(rate);
    EXPECT_LE(extractor->lookahead(), 640);
    EXPECT_GE(extractor->preroll(), 0);
    EXPECT_LT(extractor->preroll(), extractor->hop());
    EXPECT_EQ((extractor->warmup_steps() + 1) * extractor->hop() - extractor->preroll(), extractor->lookahead());
  }
  EXPECT_EQ(MakeExtractor(50)->lookahead(), 512);
  EXPECT_EQ(MakeExtractor(50)->preroll(), 128);
  EXPECT_EQ(MakeExtractor(50)->warmup_steps(), 1);
}

TEST(FeatureExtractor, AnyChunkingGivesTheWholeFilesBits) {
  const std::vector<float> audio = Melody();
  for (int rate : {50, 100, 250}) {
    const auto extractor = MakeExtractor(rate);
    const std::vector<FeatureFrame> whole = extractor->Extract(audio);
    ASSERT_EQ(whole.size(), audio.size() / extractor->hop() + 1);
    const int hop = extractor->hop();
    for (int longest : {1, 7, hop - 1, hop, hop + 1, 3 * hop, 2003}) {
      std::mt19937 random(longest);
      Framer framer(*extractor);
      for (size_t at = 0; at < audio.size();) {
        const size_t size = std::min<size_t>(audio.size() - at, longest == 1 ? 1 : 1 + random() % longest);
        framer.Push(std::span(audio).subspan(at, size));
        at += size;
      }
      framer.Push(std::vector<float>(extractor->lookahead() + hop));
      ASSERT_GE(framer.frames().size(), whole.size());
      for (size_t t = 0; t < whole.size(); ++t) ExpectSameBits(whole[t], framer.frames()[t], t);
    }
  }
}

TEST(FeatureExtractor, AFrameKnowsNothingBeyondItsLookahead) {
  const std::vector<float> audio = Melody();
  for (int rate : {50, 100, 125, 250}) {
    const auto extractor = MakeExtractor(rate);
    const std::vector<FeatureFrame> whole = extractor->Extract(audio);
    for (size_t t : {0, 5, 13, 14, 15, 29, 41}) {
      std::vector<float> other = audio;
      const size_t end = t * extractor->hop() + extractor->lookahead();
      for (size_t i = end; i < other.size(); ++i) other[i] = (i % 2) ? 0.9f : -0.9f;
      ExpectSameBits(whole[t], extractor->Extract(other)[t], t);
      // The last sample that it may know does count.
      other = audio;
      other[end - 1] += 0.5f;
      EXPECT_NE(whole[t].power_db, extractor->Extract(other)[t].power_db) << t;
    }
  }
}

TEST(FeatureExtractor, FramesAreCentredOnTheirTime) {
  for (int rate : kFrameRates) {
    const auto extractor = MakeExtractor(rate);
    const int hop = extractor->hop(), centre = 20 * hop;
    std::vector<float> audio(60 * hop);
    audio[centre] = 1.0f;
    const std::vector<FeatureFrame> frames = extractor->Extract(audio);
    // A click at the centre of frame 20 is in the 1024 samples of every frame that is less than 512 away.
    for (int t = 0; t < 40; ++t) {
      const bool inside = centre >= t * hop - 512 && centre < t * hop + 512;
      EXPECT_EQ(frames[t].power_db > -80.0f, inside) << "rate " << rate << " frame " << t;
    }
    EXPECT_GT(frames[20].loudness_db, frames[19].loudness_db);
    EXPECT_GT(frames[20].loudness_db, frames[21].loudness_db);
  }
}

TEST(FeatureExtractor, AnOctaveStepShowsAtItsFrame) {
  for (int rate : {50, 100, 250}) {
    const auto extractor = MakeExtractor(rate);
    std::vector<float> audio = Tone(300.0, 16000);
    const std::vector<float> second = Tone(600.0, 16000);
    audio.insert(audio.end(), second.begin(), second.end());
    const std::vector<FeatureFrame> frames = extractor->Extract(audio);
    for (int t = rate / 4; t < rate * 7 / 4; ++t) {
      // Up to 10 ms early, that is intended; 10 ms late.
      const double from_step = static_cast<double>(t) / rate - 1.0;
      if (std::abs(from_step) <= 0.0125) continue;
      EXPECT_NEAR(frames[t].f0_hz, from_step < 0.0 ? 300.0 : 600.0, 5.0) << "rate " << rate << " frame " << t;
    }
  }
}

TEST(FeatureExtractor, SilenceAndFaintNoiseAreNotVoiced) {
  const double faint = std::pow(10.0, -65.0 / 20.0);
  std::vector<float> pink = Noise(64000, 1.0);
  // Three one-pole filters make a spectrum within 1 dB of 1/f (Kellet's economy filter).
  double a = 0.0, b = 0.0, c = 0.0, sum = 0.0;
  for (float& x : pink) {
    a = 0.99765 * a + x * 0.0990460;
    b = 0.96300 * b + x * 0.2965164;
    c = 0.57000 * c + x * 1.0526913;
    x = static_cast<float>(a + b + c + x * 0.1848);
    sum += x * x;
  }
  for (float& x : pink) x *= static_cast<float>(faint / std::sqrt(sum / pink.size()));
  for (const std::vector<float>& audio : {std::vector<float>(32000), Noise(64000, faint), pink}) {
    for (int rate : {50, 100, 250}) {
      for (const FeatureFrame& frame : MakeExtractor(rate)->Extract(audio)) {
        EXPECT_FALSE(frame.voiced);
        ExpectFiniteInRange(frame);
      }
    }
  }
}

TEST(FeatureExtractor, LoudNoiseIsHardlyEverVoiced) {
  const std::vector<FeatureFrame> frames = MakeExtractor(100)->Extract(Noise(320000, 0.1));
  EXPECT_LT(std::count_if(frames.begin(), frames.end(), [](const FeatureFrame& f) { return f.voiced; }), 10);
}

TEST(FeatureExtractor, SilenceHoldsTheLastPitch) {
  std::vector<float> audio = Tone(220.0, 16000);
  audio.resize(48000);
  const std::vector<FeatureFrame> frames = MakeExtractor(50)->Extract(audio);
  EXPECT_FALSE(frames[75].voiced);
  EXPECT_NEAR(frames[75].f0_hz, 220.0, 3.0);
  EXPECT_EQ(frames[75].f0_hz, frames[149].f0_hz);
}

TEST(FeatureExtractor, BeforeAnySoundThePitchIsTheRangesMiddle) {
  const FeatureFrame first = MakeExtractor(50)->Extract(std::vector<float>(3200))[0];
  EXPECT_FALSE(first.voiced);
  EXPECT_NEAR(first.f0_hz, std::sqrt(50.0 * 2100.0), 0.1);
}

TEST(FeatureExtractor, NonsenseSamplesAreForgotten) {
  const auto extractor = MakeExtractor(50);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (float bad : {nan, inf, -inf, std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()}) {
    std::vector<float> audio = Tone(440.0, 32000);
    std::fill(audio.begin() + 8000, audio.begin() + 8100, bad);
    const std::vector<FeatureFrame> frames = extractor->Extract(audio);
    for (const FeatureFrame& frame : frames) ExpectFiniteInRange(frame);
    for (size_t t = 30; t < 95; ++t) {
      EXPECT_TRUE(frames[t].voiced) << t;
      EXPECT_NEAR(frames[t].f0_hz, 440.0, 0.5) << t;
    }
  }
}

TEST(FeatureExtractor, StreamsAreAlone) {
  const auto extractor = MakeExtractor(50);
  const std::vector<float> audio = Melody();
  Framer alone(*extractor), among(*extractor), noise(*extractor), poisoned(*extractor);
  const std::vector<float> other = Noise(static_cast<int>(audio.size()), 0.5);
  const std::vector<float> nans(audio.size(), std::numeric_limits<float>::quiet_NaN());
  alone.Push(audio);
  for (size_t at = 0; at + 100 <= audio.size(); at += 100) {
    noise.Push(std::span(other).subspan(at, 100));
    among.Push(std::span(audio).subspan(at, 100));
    poisoned.Push(std::span(nans).subspan(at, 100));
  }
  for (size_t t = 0; t < among.frames().size(); ++t) ExpectSameBits(alone.frames()[t], among.frames()[t], t);
}

TEST(FeatureState, ResetStartsAnew) {
  const auto extractor = MakeExtractor(100);
  FeatureState fresh = extractor->MakeState(), used = extractor->MakeState();
  const std::vector<float> audio = Melody();
  for (int hop = 0; hop < 50; ++hop) extractor->Step(std::span(audio).subspan(hop * 160, 160), used);
  used.Reset();
  FeatureState moved = std::move(used);
  for (int hop = 0; hop < 50; ++hop) {
    const auto samples = std::span<const float>(audio).subspan(5000 + hop * 160, 160);
    ExpectSameBits(extractor->Step(samples, fresh), extractor->Step(samples, moved), hop);
  }
}

}  // namespace
}  // namespace ddsp
