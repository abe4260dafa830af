#include "core/importer/dataset_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/importer/pickle_reader.h"
#include "nlohmann/json.hpp"
#include "tests/core/importer/fixtures.h"
#include "tests/core/importer/mutation.h"

namespace ddsp::importer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

std::string ErrorOf(const std::string& pickle) {
  const auto parsed = Pickle::Parse(pickle, "s.pkl");
  return parsed.ok() ? "" : parsed.status().ToString();
}

// dataset_statistics.json says the same in plain text.
TEST(DatasetStatistics, EqualsTheSameInPlainText) {
  for (const std::string name : {"solo_small", "vst_small", "solo_legacy_slots"}) {
    const auto statistics = ReadDatasetStatistics(Fixture(name) + "/dataset_statistics.pkl");
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    const auto json = nlohmann::json::parse(ReadFile(Fixture(name) + "/dataset_statistics.json").value());
    EXPECT_EQ(statistics->numbers.size() + 1, json.size());
    for (const auto& [key, value] : statistics->numbers) EXPECT_EQ(value, json.at(key).get<double>()) << key;
    ASSERT_TRUE(statistics->quantile_transform.has_value());
    const auto& transform = json.at("quantile_transform");
    EXPECT_EQ(statistics->quantile_transform->references.size(), transform.at("n_quantiles_").get<size_t>());
  }
}

TEST(Pickle, ReadsProtocolTwo) {
  // {'a': 1, 'b': (True, None)}, as pickle.dumps(..., protocol=2) writes it.
  const std::string bytes = "\x80\x02}q\x00(X\x01\x00\x00\x00" "aq\x01K\x01X\x01\x00\x00\x00" "bq\x02\x88N\x86q\x03u."s;
  const auto pickle = Pickle::Parse(bytes, "s.pkl");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().Find("a")->number, 1);
  EXPECT_EQ(pickle->root().Find("b")->items.size(), 2u);
}

TEST(Pickle, LoadsNoOtherClass) {
  EXPECT_THAT(ErrorOf("\x80\x02" "cos\nsystem\n."s), AllOf(HasSubstr("s.pkl: offset 2"), HasSubstr("'os.system'")));
  EXPECT_THAT(ErrorOf("\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R."s), HasSubstr("'posix.system'"));
  EXPECT_THAT(ErrorOf("\x80\x02" "cbuiltins\neval\n."s), HasSubstr("'builtins.eval'"));
}

TEST(Pickle, NamesOtherOpcodes) {
  // INST and OBJ make instances, PERSID asks a callback, EXT1 a registry.
  EXPECT_THAT(ErrorOf("\x80\x02(ios\nsystem\n."s), AllOf(HasSubstr("offset 3"), HasSubstr("opcode 0x69")));
  EXPECT_THAT(ErrorOf("\x80\x02Pid\n."s), HasSubstr("opcode 0x50"));
  EXPECT_THAT(ErrorOf("\x80\x02\x82\x01."s), HasSubstr("opcode 0x82"));
}

TEST(Pickle, SaysWhereItEndsEarly) {
  EXPECT_THAT(ErrorOf("\x80\x02X\xff\xff\xff\xff" "abc"s), AllOf(HasSubstr("DATA_LOSS"), HasSubstr("offset 7")));
  EXPECT_THAT(ErrorOf(""), HasSubstr("ends early"));
  EXPECT_THAT(ErrorOf("\x80\x02R."s), HasSubstr("the stack is empty"));
}

// A dictionary that holds itself is no reason to follow it for ever.
TEST(Pickle, MayReferToItself) {
  const auto pickle = Pickle::Parse("\x80\x02}q\x00X\x01\x00\x00\x00" "ah\x00s."s, "s.pkl");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().Find("a"), &pickle->root());
}

TEST(DatasetStatistics, SurvivesAnyPickle) {
  const auto original = ReadFile(Fixture("vst_small") + "/dataset_statistics.pkl");
  ASSERT_TRUE(original.ok());
  int refused = 0;
  ForEachMutation(*original, 2000, [&](const std::string& bytes) {
    const auto statistics = ParseDatasetStatistics(bytes, "s.pkl");
    refused += !statistics.ok();
    if (!statistics.ok()) EXPECT_THAT(statistics.status().message(), HasSubstr("s.pkl"));
  });
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace ddsp::importer
