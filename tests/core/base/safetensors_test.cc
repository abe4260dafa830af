#include "core/base/safetensors.h"

#include <cmath>
#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FileOf(std::string header, size_t data_bytes) {
  const uint64_t size = header.size();
  std::string file(reinterpret_cast<const char*>(&size), 8);
  return file + header + std::string(data_bytes, '\0');
}

std::string ErrorOf(std::string header, size_t data_bytes) {
  return std::string(Safetensors::Parse(FileOf(std::move(header), data_bytes)).status().message());
}

TEST(Safetensors, ReadsWhatItWrote) {
  const float values[] = {1, -2.5, 3e-5f, 0, 5, 6};
  SafetensorsWriter writer;
  writer.AddFloats("b/x", {2, 3}, values);
  writer.AddHalves("a", {2}, values);
  writer.SetMetadata("key", "value");
  const auto file = Safetensors::Parse(writer.Format());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->Names(), ElementsAre("a", "b/x"));
  EXPECT_THAT(*file->GetFloats("b/x"), ElementsAre(1, -2.5, 3e-5f, 0, 5, 6));
  EXPECT_THAT(*file->GetFloats("a"), ElementsAre(1, -2.5));
  EXPECT_EQ(file->metadata().at("key"), "value");
}

TEST(Safetensors, HalvesRoundToNearest) {
  // 11 significant bits: the relative error is at most 2^-11; subnormal halves have steps of 2^-24.
  SafetensorsWriter writer;
  std::vector<float> values = {65504, 1 + 1 / 2048.0f, 1 + 3 / 2048.0f, 6.1e-5f, 5.96e-8f, -0.333f, 1e6f};
  writer.AddHalves("x", {7}, values.data());
  const auto read = Safetensors::Parse(writer.Format())->GetFloats("x");
  EXPECT_THAT(*read, ElementsAre(65504, 1, 1 + 4 / 2048.0f, testing::FloatNear(6.1e-5f, 3.1e-8f),
                                 testing::FloatNear(5.96e-8f, 1e-10f), testing::FloatNear(-0.333f, 0.0002f), INFINITY));
}

TEST(Safetensors, RefusesBrokenFiles) {
  EXPECT_THAT(ErrorOf("[]", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("'a': its bytes do not fit"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
              HasSubstr("outside of the file"));
  EXPECT_THAT(
      ErrorOf(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
          6),
      HasSubstr("'b': overlaps another"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), HasSubstr("leaves a hole"));
  EXPECT_THAT(
      ErrorOf(
          R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
          0),
      HasSubstr("twice"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[99999999999,99999999999],"data_offsets":[0,0]}})", 0),
              HasSubstr("too large"));
  EXPECT_THAT(ErrorOf("{}", 1), HasSubstr("after the last tensor"));
  EXPECT_THAT(std::string(Safetensors::Parse(std::string(8, '\xff')).status().message()), HasSubstr("header of"));
}

TEST(Safetensors, NamesAMissingTensor) {
  EXPECT_EQ(Safetensors::Parse(FileOf("{}", 0))->Get("x").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp
