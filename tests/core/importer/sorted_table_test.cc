#include "core/importer/sorted_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/importer/snappy_block.h"
#include "tests/core/importer/fixtures.h"
#include "tests/core/importer/mutation.h"
#include "tests/core/importer/table_writer.h"

namespace ddsp::importer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

MATCHER_P2(Entry, key, value, "") { return arg.key == key && arg.value == value; }

std::string ErrorOf(const std::string& table) {
  const auto entries = ReadSortedTable(table, "t.index");
  return entries.ok() ? "" : entries.status().ToString();
}

TEST(SortedTable, KeysShareTheirBeginnings) {
  const std::string block = TableBlock(TableItem(0, "abc", "1") + TableItem(2, "d", "2") + TableItem(0, "b", ""));
  const auto entries = ReadSortedTable(Table(block, 0), "t.index");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(*entries, ElementsAre(Entry("abc", "1"), Entry("abd", "2"), Entry("b", "")));
}

TEST(SortedTable, ReadsCompressedBlocks) {
  // Snappy's form of 12 bytes "aaaabaaaabaa": length, literal "aaaab", copy of 7 bytes from 5 before.
  const std::string content = TableBlock(TableItem(0, "k", "aaaaaaaaaaaaaaaa"));
  std::string packed = Varint(content.size());
  packed += static_cast<char>((content.size() - 1) << 2) + content;  // one literal
  const auto entries = ReadSortedTable(Table(packed, 1), "t.index");
  if (absl::IsUnimplemented(entries.status())) GTEST_SKIP() << entries.status();
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(*entries, ElementsAre(Entry("k", "aaaaaaaaaaaaaaaa")));
}

TEST(SortedTable, RefusesAClaimToUnpackToGigabytes) {
  EXPECT_THAT(ErrorOf(Table(Varint(uint64_t{1} << 31) + "x", 1)), ::testing::Not(""));
}

// A few bytes that repeat a key of 60 kB each: what they stand for is counted, not only what is there.
TEST(SortedTable, RefusesKeysThatGrowWithoutEnd) {
  const std::string key(60000, 'k');
  std::string items = TableItem(0, key, "");
  for (size_t i = 0; i < 6000; ++i) items += TableItem(key.size() + i, "k", "");
  EXPECT_THAT(ErrorOf(Table(TableBlock(items), 0)), AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("t.index")));
}

TEST(SortedTable, NamesFileOffsetAndDamage) {
  const std::string good = Table(TableBlock(TableItem(0, "key", "value")), 0);
  std::string flipped = good;
  flipped[4] ^= 1;
  EXPECT_THAT(ErrorOf(flipped), AllOf(HasSubstr("t.index: offset 0"), HasSubstr("checksum")));
  EXPECT_THAT(ErrorOf(good.substr(1)), HasSubstr("offset"));
  EXPECT_THAT(ErrorOf(good.substr(0, good.size() - 1)), HasSubstr("magic"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("no table"));
  EXPECT_THAT(ErrorOf(Table(TableBlock(TableItem(0, "b", "") + TableItem(0, "a", "")), 0)), HasSubstr("out of order"));
  EXPECT_THAT(ErrorOf(Table(TableBlock(TableItem(9, "b", "")), 0)), HasSubstr("leaves its block"));
  EXPECT_THAT(ErrorOf(Table(TableBlock(""), 7)), HasSubstr("unknown compression 7"));
  EXPECT_THAT(ErrorOf(Table("xy", 0)), HasSubstr("restarts"));
}

// Behind a right checksum every content has to be survived, too.
TEST(SortedTable, SurvivesAnyBlock) {
  const std::string block = TableBlock(TableItem(0, "abc", "1") + TableItem(2, "d", "2") + TableItem(0, "b", "xyz"));
  int damaged = 0;
  ForEachMutation(block, 3000, [&](const std::string& bytes) {
    damaged += !ReadSortedTable(Table(bytes, 0), "t.index").ok();
    (void)ReadSortedTable(Table(bytes, 1), "t.index");
  });
  EXPECT_GT(damaged, 1000);
}

TEST(SortedTable, SurvivesAnyIndexFile) {
  for (const char* name : {"solo_small", "vst_small", "solo_legacy_slots"}) {
    const auto original = ReadFile(FixturePrefix(name) + ".index");
    ASSERT_TRUE(original.ok());
    ASSERT_TRUE(ReadSortedTable(*original, "t.index").ok());
    ForEachMutation(*original, 500, [&](const std::string& bytes) {
      const auto entries = ReadSortedTable(bytes, "t.index");
      if (!entries.ok()) EXPECT_THAT(entries.status().message(), HasSubstr("t.index"));
    });
  }
}

}  // namespace
}  // namespace ddsp::importer
