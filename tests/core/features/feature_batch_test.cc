// Many streams in a step: the same bits as alone, and nothing allocated.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/base/wav.h"
#include "core/features/feature_extractor.h"
#include "gtest/gtest.h"

namespace {

std::atomic<int64_t> allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (std::max<size_t>(size, 1) + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace ddsp {
namespace {

constexpr int kHop = 320;

// Violin, saxophone, flute, trumpet, speech and noise, one after the other.
const std::vector<float>& Sound() {
  static const std::vector<float> sound = [] {
    std::vector<float> all;
    for (const char* name :
         {"test/violin", "test/tenor_sax", "test/flute", "test/trumpet", "clips/speech_en", "clips/singing"}) {
      const std::vector<float> part = ReadWav(std::string(DDSP_TESTDATA) + "/audio/" + name + ".wav")->samples;
      all.insert(all.end(), part.begin(), part.begin() + std::min<size_t>(part.size(), 5 * 16000));
    }
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int i = 0; i < 5 * 16000; ++i) all.push_back(0.1f * normal(random));
    all.resize(all.size() + 8000);
    return all;
  }();
  return sound;
}

// A stream that plays the sound from somewhere on, and what it said so far.
struct Stream {
  int begin = 0;
  FeatureState state;
  std::vector<FeatureFrame> frames;

  std::span<const float> NextHop() const {
    const int hops = static_cast<int>(Sound().size()) / kHop;
    return std::span(Sound()).subspan((begin + frames.size()) % hops * kHop, kHop);
  }
};

std::vector<Stream> StartStreams(const FeatureExtractor& extractor, int count) {
  std::vector<Stream> streams;
  for (int i = 0; i < count; ++i) streams.push_back({.begin = 113 * i, .state = extractor.MakeState(), .frames = {}});
  return streams;
}

void StepTogether(const FeatureExtractor& extractor, FeatureWorkspace& workspace, std::span<Stream* const> streams) {
  std::vector<FeatureRequest> requests;
  std::vector<FeatureFrame> frames(streams.size());
  for (size_t i = 0; i < streams.size(); ++i) {
    requests.push_back({streams[i]->NextHop(), &streams[i]->state, &frames[i]});
  }
  extractor.Step(requests, workspace);
  for (size_t i = 0; i < streams.size(); ++i) streams[i]->frames.push_back(frames[i]);
}

bool SameBits(const FeatureFrame& a, const FeatureFrame& b) {
  const auto same = [](float x, float y) { return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y); };
  return same(a.f0_hz, b.f0_hz) && same(a.f0_confidence, b.f0_confidence) && a.voiced == b.voiced &&
         same(a.loudness_db, b.loudness_db) && same(a.power_db, b.power_db);
}

void ExpectSameAsAlone(const FeatureExtractor& extractor, const Stream& stream) {
  Stream alone{.begin = stream.begin, .state = extractor.MakeState(), .frames = {}};
  for (const FeatureFrame& frame : stream.frames) {
    alone.frames.push_back(extractor.Step(alone.NextHop(), alone.state));
    ASSERT_TRUE(SameBits(frame, alone.frames.back())) << "step " << alone.frames.size() << " from " << stream.begin;
  }
}

class BatchOf : public testing::TestWithParam<int> {};

TEST_P(BatchOf, StreamsGivesWhatEachGivesAlone) {
  const auto extractor = *FeatureExtractor::Create({});
  FeatureWorkspace workspace = extractor->MakeWorkspace();
  std::vector<Stream> streams = StartStreams(*extractor, GetParam());
  std::vector<Stream*> all;
  for (Stream& stream : streams) all.push_back(&stream);
  const int steps = std::max(20, 2000 / GetParam());
  for (int step = 0; step < steps; ++step) StepTogether(*extractor, workspace, all);
  for (const Stream& stream : streams) ExpectSameAsAlone(*extractor, stream);
}

INSTANTIATE_TEST_SUITE_P(Sizes, BatchOf, testing::Values(1, 2, 3, 11, 12, 13, 31, 64, 256));

// Streams join and leave at random, in random order, over one workspace.
TEST(FeatureBatch, CompanyComesAndGoesUnnoticed) {
  const auto extractor = *FeatureExtractor::Create({});
  FeatureWorkspace workspace = extractor->MakeWorkspace();
  std::vector<Stream> streams = StartStreams(*extractor, 70);
  std::mt19937 random(7);
  for (int step = 0; step < 120; ++step) {
    std::vector<Stream*> present;
    const double share = std::uniform_real_distribution<>(0.0, 1.0)(random);
    for (Stream& stream : streams) {
      if (std::bernoulli_distribution(share)(random)) present.push_back(&stream);
    }
    std::shuffle(present.begin(), present.end(), random);
    StepTogether(*extractor, workspace, present);
  }
  for (const Stream& stream : streams) ExpectSameAsAlone(*extractor, stream);
}

TEST(FeatureBatch, AStepAllocatesNothing) {
  const auto extractor = *FeatureExtractor::Create({});
  FeatureWorkspace workspace = extractor->MakeWorkspace();
  std::vector<Stream> streams = StartStreams(*extractor, 64);
  std::vector<FeatureFrame> frames(streams.size());
  std::vector<FeatureRequest> requests(streams.size());
  for (int step = 0; step < 40; ++step) {
    for (size_t i = 0; i < streams.size(); ++i) {
      streams[i].begin += 1;
      requests[i] = {streams[i].NextHop(), &streams[i].state, &frames[i]};
    }
    const int64_t before = allocations;
    extractor->Step(requests, workspace);
    extractor->Step(streams[0].NextHop(), streams[0].state);
    EXPECT_EQ(allocations, before) << "step " << step;
  }
  EXPECT_GT(allocations, 100) << "allocations are not counted";
}

TEST(FeatureBatch, OfNoneIsNothing) {
  const auto extractor = *FeatureExtractor::Create({});
  FeatureWorkspace workspace = extractor->MakeWorkspace();
  extractor->Step({}, workspace);
}

}  // namespace
}  // namespace ddsp
