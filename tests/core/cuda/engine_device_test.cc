#include "core/cuda/engine_device.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

TEST(EngineDevice, IsTheCpuOrANumberedGpu) {
  EXPECT_FALSE(EngineDevice::Parse("cpu")->is_gpu());
  EXPECT_TRUE(EngineDevice::Parse("cuda:0")->is_gpu());
  EXPECT_TRUE(EngineDevice::Parse("cuda:15")->is_gpu());
  for (const char* name : {"", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:one", "cuda: 1", "cuda:+1", "cuda:1 ",
                           "cuda:1,2", "cuda:0x1", "cuda:1000", "cuda:99999999999", "CPU"}) {
    const absl::Status status = EngineDevice::Parse(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("'") + name + "'"));
  }
}

TEST(EngineDevice, TellsWhetherItIsThere) {
  EXPECT_TRUE(EngineDevice::Parse("cpu")->Check().ok());
  const absl::Status status = EngineDevice::Parse("cuda:999")->Check();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("999"));
}

TEST(EngineDevice, MakesEnginesOrTellsWhyNot) {
  const auto voice = std::make_shared<Voice>(testing::MakeTestVoice());
  EXPECT_EQ((*EngineDevice::Parse("cpu")->MakeEngine(voice, 3, 1))->slots(), 3);
  EXPECT_EQ(EngineDevice::Parse("cuda:99")->MakeEngine(voice, 3, 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ddsp
