// An engine as a server drives it: hundreds of slots, streams that join and leave at any time, batches of any size.
//
// Theorem: whatever the schedule, every hop of every stream is to the bit what the stream gives alone in an engine of
// one slot; no step allocates memory; a stream that fails takes no other with it and leaves nothing behind in its slot.
#include <malloc.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>

#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/random_voice.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace {

std::atomic<int64_t> allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* const block = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new[](size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void* operator new[](size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace ddsp {
namespace {

using testing::TestVoiceOptions;

constexpr int kSlots = 256, kHop = 320, kHops = 24, kScores = 12;

std::unique_ptr<BatchVoiceEngine> MakeEngine(const TestVoiceOptions& options, int slots) {
  return *BatchVoiceEngine::Create(std::make_shared<Voice>(testing::MakeTestVoice(options)), slots);
}

// What a stream is fed: audio, or controls where the number is odd.
class Score {
 public:
  Score() = default;
  explicit Score(int number) : audio_(testing::TestMelody(kHops * kHop, 16000, number)) {
    settings.seed = number;
    settings.input = number % 2 == 0 ? StreamInput::kAudio : StreamInput::kControls;
  }
  HopRequest At(int hop) const {
    HopRequest request;
    request.audio = absl::MakeConstSpan(audio_).subspan(hop * kHop, kHop);
    request.control = {200.0f + 40.0f * static_cast<float>((hop / 4 + settings.seed) % 9), -25};
    if (settings.input == StreamInput::kControls) request.audio = {};
    return request;
  }
  StreamSettings settings;

 private:
  std::vector<float> audio_;
};

std::vector<Score> Scores() {
  std::vector<Score> scores;
  for (int i = 0; i < kScores; ++i) scores.emplace_back(i);
  return scores;
}

// Each score alone in an engine of one slot: [hops][hop].
std::vector<std::vector<float>> AloneOf(const TestVoiceOptions& options, const Score& score) {
  const auto engine = MakeEngine(options, 1);
  const auto workspace = engine->MakeWorkspace();
  EXPECT_TRUE(engine->Reset(0, score.settings).ok());
  std::vector<std::vector<float>> hops(kHops, std::vector<float>(kHop));
  for (int hop = 0; hop < kHops; ++hop) {
    HopRequest request = score.At(hop);
    request.output = absl::MakeSpan(hops[hop]);
    EXPECT_TRUE(engine->Step({request}, *workspace)[0].ok());
  }
  return hops;
}

// A server's slots, each with a stream somewhere in its score.
class Traffic {
 public:
  Traffic(const TestVoiceOptions& options, uint64_t seed)
      : scores_(Scores()), engine_(MakeEngine(options, kSlots)), workspace_(engine_->MakeWorkspace()), random_(seed) {
    for (const Score& score : scores_) alone_.push_back(AloneOf(options, score));
    for (Slot& slot : slots_) slot.output.resize(kHop);
    requests_.reserve(kSlots);
    for (int slot = 0; slot < kSlots; ++slot) Join(slot);
  }

  // Steps `batch` slots of a random choice. Returns the allocations that the step made.
  int64_t Step(int batch) {
    for (int i = 0; i < batch; ++i) std::swap(order_[i], order_[i + random_() % (kSlots - i)]);
    requests_.clear();
    for (int i = 0; i < batch; ++i) {
      Slot& slot = slots_[order_[i]];
      const bool leaves = slot.hop == kHops || random_() % 32 == 0;
      if (leaves || slot.failed) Join(order_[i]);
      HopRequest request = scores_[slot.score].At(slot.hop);
      if (slot.poisoned) request.control = {std::nanf(""), std::nanf("")};
      request.slot = order_[i];
      request.output = absl::MakeSpan(slot.output);
      requests_.push_back(request);
    }
    const int64_t before = allocations;
    engine_->Step(requests_, *workspace_);
    const int64_t made = allocations - before;
    for (int i = 0; i < batch; ++i) Check(order_[i], workspace_->statuses[i]);
    return made;
  }

  void PoisonSome(bool some) { poisons_ = some; }
  int failures() const { return failures_; }

 private:
  struct Slot {
    int score = 0, hop = 0;
    bool poisoned = false, failed = false;
    std::vector<float> output;
  };

  void Join(int index) {
    Slot& slot = slots_[index];
    slot.score = static_cast<int>(random_() % kScores);
    slot.hop = 0;
    slot.failed = false;
    slot.poisoned = poisons_ && slot.score % 2 == 1 && random_() % 2 == 0;
    EXPECT_TRUE(engine_->Reset(index, scores_[slot.score].settings).ok());
  }

  void Check(int index, const absl::Status& status) {
    Slot& slot = slots_[index];
    slot.failed = !status.ok();
    failures_ += slot.failed;
    EXPECT_TRUE(status.ok() || slot.poisoned) << status;
    const std::vector<float> silence(kHop);
    if (slot.failed) {
      EXPECT_EQ(slot.output, silence);
    } else if (!slot.poisoned) {
      ASSERT_EQ(slot.output, alone_[slot.score][slot.hop]) << "slot " << index << ", hop " << slot.hop;
    }
    ++slot.hop;
  }

  const std::vector<Score> scores_;
  std::vector<std::vector<std::vector<float>>> alone_;  // [scores][hops][hop]
  const std::unique_ptr<BatchVoiceEngine> engine_;
  const std::unique_ptr<StepWorkspace> workspace_;
  std::mt19937 random_;
  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
  std::vector<int> order_ = [] {
    std::vector<int> order(kSlots);
    for (int i = 0; i < kSlots; ++i) order[i] = i;
    return order;
  }();
  std::vector<HopRequest> requests_;
  bool poisons_ = false;
  int failures_ = 0;
};

TestVoiceOptions IntegerSolo() {
  TestVoiceOptions options = testing::SmallSolo();
  options.arithmetic = "int16";
  options.rnn_channels = 40;  // more than stay in float32
  options.channels = 24;
  return options;
}

class SteadyState : public ::testing::TestWithParam<TestVoiceOptions> {};
INSTANTIATE_TEST_SUITE_P(Recipes, SteadyState,
                         ::testing::Values(TestVoiceOptions(), testing::SmallSolo(), IntegerSolo()),
                         [](const auto& info) {
                           const std::string recipe = info.param.decoder_frame_rate == 0 ? "vst" : "solo";
                           return recipe + "_" + info.param.arithmetic;
                         });

constexpr int kBatches[] = {1, 2, 3, 31, 256};

TEST_P(SteadyState, NoStepAllocatesAndNoneDependsOnItsBatch) {
  Traffic traffic(GetParam(), 1);
  for (int round = 0; round < 20; ++round) {
    for (const int batch : kBatches) ASSERT_EQ(traffic.Step(batch), 0) << "batch of " << batch;
  }
}

TEST_P(SteadyState, AStreamThatFailsFailsAlone) {
  Traffic traffic(GetParam(), 2);
  traffic.PoisonSome(true);
  for (int round = 0; round < 40; ++round) {
    for (const int batch : kBatches) traffic.Step(batch);
  }
  EXPECT_GT(traffic.failures(), 100);
}

// Of the whole process, pages that nobody has touched included.
int64_t HeapBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<int64_t>(heap.uordblks + heap.hblkhd);
}

// bytes_per_slot() is what a slot takes from the heap, and its bound: 64 KB and 8 bytes for each tap of the reverb.
TEST(SlotMemory, IsWhatIsSaidAndBounded) {
  if (HeapBytes() == 0) GTEST_SKIP() << "a sanitizer's heap does not tell its size";
  for (const char* recipe : {"vst", "solo_instrument", "tiny_instrument"}) {
    for (const int harmonics : {60, 100}) {
      const auto voice =
          std::make_shared<const Voice>(*MakeRandomVoice({.recipe = recipe, .name = "random", .harmonics = harmonics}));
      const auto bytes_of = [&](int slots) {
        const int64_t before = HeapBytes();
        const auto engine = *BatchVoiceEngine::Create(voice, slots);
        return HeapBytes() - before;
      };
      const auto engine = *BatchVoiceEngine::Create(voice, 1);
      const auto said = static_cast<double>(engine->bytes_per_slot());
      EXPECT_NEAR(static_cast<double>(bytes_of(17) - bytes_of(1)) / 16, said, 0.01 * said) << recipe;
      const size_t taps = voice->weights.at("reverb/ir").values.size();
      EXPECT_LE(engine->bytes_per_slot(), 64 * 1024 + 8 * static_cast<int64_t>(taps)) << recipe;
      if (voice->spec.recipe() == "vst") {
        EXPECT_LE(engine->bytes_per_slot(), 256 * 1024);
      }
      int64_t sum = 0;
      for (const StatePart& part : engine->state_parts()) sum += part.bytes;
      EXPECT_EQ(sum, engine->bytes_per_slot());
    }
  }
}

}  // namespace
}  // namespace ddsp
