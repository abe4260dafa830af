// A tick allocates nothing on the host, whoever joins it.
#include <atomic>
#include <cstdlib>
#include <new>

#include "core/cuda/cuda_voice_engine.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace {

std::atomic<int64_t> allocations{0};

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace ddsp::cuda {
namespace {

// Gives the same audio whatever it is asked.
class DeafDevice : public StepDevice {
 public:
  DeafDevice(const VoiceProgram& program, int slots)
      : program_(program),
        capacity_(StepCapacity(slots, program.hop())),
        input_(program.InputBytes(capacity_) / sizeof(StepCounts)),
        audio_(static_cast<size_t>(capacity_) * program.hop(), 0.1f) {}

  int capacity() const override { return capacity_; }
  absl::Status ResetSlot(int) override { return absl::OkStatus(); }
  StepInput BeginStep(int rows) override {
    return {reinterpret_cast<std::byte*>(input_.data()), StepSize(rows, capacity_), program_.inputs()};
  }
  absl::StatusOr<const float*> FinishStep() override { return audio_.data(); }

 private:
  const VoiceProgram& program_;
  const int capacity_;
  std::vector<StepCounts> input_;
  std::vector<float> audio_;
};

TEST(CudaVoiceEngine, AllocatesNothingInTheSteadyState) {
  constexpr int kSlots = 700, kHop = 320;
  const auto voice = std::make_shared<Voice>(ddsp::testing::MakeTestVoice());
  auto program = std::make_unique<const VoiceProgram>(*VoiceProgram::Compile(*voice));
  auto device = std::make_unique<DeafDevice>(*program, kSlots);
  const auto engine = *CudaVoiceEngine::Create(voice, std::move(program), std::move(device), kSlots, 3);
  const auto workspace = engine->MakeWorkspace();
  const std::vector<float> audio = ddsp::testing::TestMelody(kHop);
  std::vector<float> output(kSlots * kHop);
  std::vector<HopRequest> requests(kSlots);
  const ParameterChange change{100, {3, 0}};
  for (int slot = 0; slot < kSlots; ++slot) {
    StreamSettings settings;
    settings.input = slot % 2 == 0 ? StreamInput::kAudio : StreamInput::kControls;
    ASSERT_TRUE(engine->Reset(slot, settings).ok());
    requests[slot].slot = slot;
    requests[slot].audio = audio;
    requests[slot].control = {300, -20};
    requests[slot].output = absl::MakeSpan(output).subspan(slot * kHop, kHop);
    if (slot % 5 == 0) requests[slot].changes = absl::MakeConstSpan(&change, 1);
  }
  engine->Step(requests, *workspace);
  engine->Step(requests, *workspace);
  const int64_t before = allocations;
  for (const int streams : {700, 1, 33, 500, 700}) {
    engine->Step(absl::MakeConstSpan(requests).first(streams), *workspace);
    ASSERT_EQ(allocations - before, 0) << streams << " streams";
  }
}

}  // namespace
}  // namespace ddsp::cuda
