// No text may crash the reader: stored configurations, changed at random, are read, printed and updated.
#include <filesystem>
#include <random>

#include "core/base/file.h"
#include "core/gin/printer.h"
#include "core/gin/reader.h"
#include "core/gin/registry.h"
#include "core/gin/update.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

constexpr int kRounds = 4000;
constexpr char kAlphabet[] = "\n\n\t  ='\"\\()[]{}@%/.,:#-_0123456789eExXabruTFNoe\xc3\xa9\xff";

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {"a/b.c = [@x/y(), {'k': (%m, -1.5e-3)}]\nm = r'''x\n'''\nFc:\n  a = 1\n  b = 2\n",
                                    "include 'x.gin'\nfrom a import b as c\nx = 0x1F\n"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DDSP_TESTDATA "/gin")) {
    if (entry.is_regular_file()) seeds.push_back(*ReadFile(entry.path().string()));
  }
  std::sort(seeds.begin(), seeds.end());
  return seeds;
}

// One to eight small changes: a byte replaced, inserted or removed, a piece repeated or cut off.
std::string Mutate(std::string text, const std::vector<std::string>& seeds, std::mt19937& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  for (size_t changes = 1 + below(8); changes > 0; --changes) {
    const size_t at = below(text.size() + 1);
    const std::string other = seeds[below(seeds.size())];
    switch (below(6)) {
      case 0: text.insert(at, 1, kAlphabet[below(sizeof(kAlphabet))]); break;
      case 1: if (at < text.size()) text[at] = kAlphabet[below(sizeof(kAlphabet))]; break;
      case 2: text.erase(at, 1 + below(20)); break;
      case 3: text.insert(at, text.substr(below(text.size() + 1), below(40))); break;
      case 4: text.insert(at, other.substr(below(other.size() + 1), below(40))); break;
      default: if (below(8) == 0) text.resize(at);
    }
  }
  return text;
}

// A text that is read prints as one that reads back the same.
void Exercise(const std::string& text) {
  UpdateConfig(text).IgnoreError();
  const auto config = ParseConfig(text);
  if (!config.ok()) {
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_TRUE(PositionOf(config.status()).has_value()) << text;
    return;
  }
  CheckKnown(*config, DdspConfigurables()).IgnoreError();
  config->ParametersOf("Harmonic", "a/b").IgnoreError();
  const auto again = ParseConfig(Print(*config));
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
  EXPECT_EQ(*again, *config) << text;
}

TEST(Mutation, NoTextCrashesTheReader) {
  const std::vector<std::string> seeds = Seeds();
  std::mt19937 random(20);
  for (const std::string& seed : seeds) Exercise(seed);
  for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    Exercise(Mutate(seeds[random() % seeds.size()], seeds, random));
  }
}

TEST(Mutation, HugeTextsEndSoon) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "a.b = 1\n";
  EXPECT_FALSE(ParseConfig(many).ok());
  EXPECT_FALSE(ParseConfig("x = " + std::string(1 << 20, '{')).ok());
  EXPECT_TRUE(ParseConfig("x = '" + std::string(1 << 20, 'a') + "'").ok());
}

}  // namespace
}  // namespace ddsp::gin
