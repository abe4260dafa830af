#include <cmath>
#include <fstream>

#include "core/base/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/golden/case.h"
#include "tests/golden/compare.h"

namespace ddsp::golden {
namespace {

using testing::HasSubstr;

Expected Within(const at::Tensor& value, double rtol, double atol) { return {value, {rtol, {atol}, 0.0}}; }

TEST(Compare, FindsTheWorstElement) {
  const Deviation deviation =
      Compare(at::tensor({1.0, 2.0, 3.5}), Within(at::tensor({1.0, 2.1, 3.0}), 0, 0.2), Distance::kLinear);
  EXPECT_FALSE(deviation.within);
  EXPECT_NEAR(deviation.excess, 2.5, 1e-6);
  EXPECT_THAT(deviation.description, HasSubstr("[2] is 3.5, expected 3"));
}

TEST(Compare, NansMatchOnlyThemselves) {
  const at::Tensor nan = at::tensor({1.0, std::nan("")});
  EXPECT_TRUE(Compare(nan, Within(nan, 1e-5, 0), Distance::kLinear).within);
  EXPECT_FALSE(Compare(at::tensor({1.0, 2.0}), Within(nan, 1e-5, 0), Distance::kLinear).within);
  EXPECT_FALSE(Compare(nan, Within(at::tensor({1.0, 2.0}), 1e-5, 0), Distance::kLinear).within);
}

TEST(Compare, IntegersHaveToBeEqual) {
  const Expected expected = Within(at::tensor({3, 4}, at::kInt), 1.0, 10.0);
  EXPECT_TRUE(Compare(at::tensor({3, 4}, at::kLong), expected, Distance::kLinear).within);
  EXPECT_FALSE(Compare(at::tensor({3, 5}, at::kLong), expected, Distance::kLinear).within);
}

TEST(Compare, PhasesAreEqualModuloTwoPi) {
  const Expected expected = Within(at::tensor({0.001}), 0, 0.01);
  EXPECT_TRUE(Compare(at::tensor({6 * M_PI - 0.001}), expected, Distance::kModuloTwoPi).within);
  EXPECT_FALSE(Compare(at::tensor({6 * M_PI - 0.001}), expected, Distance::kLinear).within);
}

TEST(Compare, ShapesCountAndEmptyTensorsMatch) {
  EXPECT_FALSE(Compare(at::zeros({2, 3}), Within(at::zeros({3, 2}), 1, 1), Distance::kLinear).within);
  EXPECT_TRUE(Compare(at::zeros({1, 0}), Within(at::zeros({1, 0}), 0, 0), Distance::kLinear).within);
  EXPECT_FALSE(Compare(at::Tensor(), Within(at::zeros({1}), 1, 1), Distance::kLinear).within);
}

class GoldenFiles : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = testing::TempDir() + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string FileWithCases(const std::string& cases) {
    SafetensorsWriter writer;
    const float one = 1;
    writer.AddFloats("a/out/out", {}, &one);
    writer.SetMetadata("cases", cases);
    return writer.Format();
  }
};

TEST_F(GoldenFiles, MalformedOnesAreNamed) {
  for (const std::string& content :
       {std::string(), std::string("garbage"), FileWithCases("no list"), FileWithCases("[{\"name\": 3}]"),
        FileWithCases(R"([{"name": "a", "fn": "f", "outputs": ["missing"]}])")}) {
    const std::string path = Write("malformed.safetensors", content);
    const auto cases = ReadCases(path);
    EXPECT_EQ(cases.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(cases.status().message()), HasSubstr(path));
  }
  EXPECT_FALSE(ReadCases(Write("errors.json", "{")).ok());
}

TEST_F(GoldenFiles, ScalarsAndTolerancesAreRead) {
  const auto cases = ReadCases(Write(
      "good.safetensors",
      FileWithCases(
          R"([{"name": "a", "fn": "f", "outputs": ["out"], "tol": {"out/out": [0.5, 2]}, "rtol": 9, "atol": 9}])")));
  ASSERT_TRUE(cases.ok()) << cases.status();
  const Expected& expected = cases->at(0).outputs.at("out");
  EXPECT_EQ(expected.value.dim(), 0);
  EXPECT_EQ(expected.tolerance.rtol, 0.5);
  EXPECT_EQ(expected.tolerance.atol[0], 2);
}

}  // namespace
}  // namespace ddsp::golden
