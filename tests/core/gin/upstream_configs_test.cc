// The configurations that upstream publishes or writes, as testdata has them.
#include <filesystem>

#include "core/base/file.h"
#include "core/gin/printer.h"
#include "core/gin/reader.h"
#include "core/gin/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> GinFiles() {
  std::vector<std::string> paths;
  for (const char* folder : {"/gin", "/golden/models"}) {
    for (const auto& entry : fs::recursive_directory_iterator(std::string(DDSP_TESTDATA) + folder)) {
      if (entry.path().extension() == ".gin") paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

DiskFiles Files() { return DiskFiles({std::string(DDSP_TESTDATA) + "/gin"}); }

class UpstreamConfig : public testing::TestWithParam<std::string> {};

TEST_P(UpstreamConfig, PrintsAsTextThatReadsBackAsTheSame) {
  const auto config = ReadConfig(GetParam(), Files());
  ASSERT_TRUE(config.ok()) << config.status();
  const auto again = ParseConfig(Print(*config));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *config);
}

TEST_P(UpstreamConfig, NamesOnlyWhatIsKnown) {
  const auto config = ReadConfig(GetParam(), Files());
  ASSERT_TRUE(config.ok()) << config.status();
  const absl::Status known = CheckKnown(*config, DdspConfigurables());
  // One names losses that upstream does not have, one is of an older release.
  const std::string name = fs::path(GetParam()).filename();
  EXPECT_EQ(known.ok(), name != "hmm_prior.gin" && name != "operative_2020.gin") << known;
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = fs::relative(info.param, DDSP_TESTDATA).replace_extension().string();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, UpstreamConfig, testing::ValuesIn(GinFiles()), NameOf);

TEST(UpstreamConfigs, ScopesOfALossGroupAreKeptApart) {
  const auto config = ReadConfig(std::string(DDSP_TESTDATA) + "/gin/models/midiae.gin", Files());
  ASSERT_TRUE(config.ok()) << config.status();
  const auto group = config->ParametersOf("losses.LossGroup", "recon_lossgroup");
  ASSERT_TRUE(group.ok()) << group.status();
  const Reference hd = *group->at("hd_loss").As<Reference>(), f0 = *group->at("f0_loss").As<Reference>();
  EXPECT_EQ(ToString(config->ParametersOf(hd)->at("weight")), "500.0");
  EXPECT_EQ(ToString(config->ParametersOf(f0)->at("weight")), "50.0");
}

}  // namespace
}  // namespace ddsp::gin
