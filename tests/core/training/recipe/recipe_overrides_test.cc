#include "core/training/recipe/recipe_overrides.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp::training {
namespace {

using testing::HasSubstr;

TEST(CheckRecipeName, KnowsTheRecipesAndListsThem) {
  for (const std::string& name : KnownRecipes()) EXPECT_EQ(CheckRecipeName(name), absl::OkStatus());
  for (const char* const name : {"opera", "", "VST", "vst "}) {
    const absl::Status error = CheckRecipeName(name);
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(error.message()), HasSubstr(absl::StrCat("'", name, "'")));
    EXPECT_THAT(std::string(error.message()), HasSubstr("solo_instrument, vst"));
  }
}

TEST(ReadOverride, SetsWhatItSaysAndNothingElse) {
  RecipeOverrides overrides;
  ASSERT_EQ(ReadOverride("train.batch_size = 8", &overrides), absl::OkStatus());
  ASSERT_EQ(ReadOverride("train.learning_rate = 1\ntrain.schedule = 'exponential'", &overrides), absl::OkStatus());
  ASSERT_EQ(ReadOverride("train.float32 = True", &overrides), absl::OkStatus());
  ASSERT_EQ(ReadOverride("train.licence = 'CC0-1.0'", &overrides), absl::OkStatus());
  EXPECT_EQ(overrides.batch_size, 8);
  EXPECT_EQ(overrides.learning_rate, 1.0) << "a whole number is a number";
  EXPECT_EQ(overrides.schedule, Schedule::kExponential);
  EXPECT_EQ(overrides.float32, true);
  EXPECT_EQ(overrides.licence, "CC0-1.0");
  EXPECT_EQ(overrides.shards, std::nullopt);
  EXPECT_EQ(overrides.description, std::nullopt);
  ASSERT_EQ(ReadOverride("train.batch_size = 9", &overrides), absl::OkStatus());
  EXPECT_EQ(overrides.batch_size, 9) << "the last one counts";
}

TEST(ReadOverride, NamesTextAndProblem) {
  const std::pair<const char*, const char*> cases[] = {
      {"train.batchsize = 8", "is of no parameter of a recipe; those are train.attribution"},
      {"Adam.epsilon = 1", "is of no parameter"},
      {"one/train.batch_size = 8", "is of no parameter"},
      {"import ddsp", "is of no parameter"},
      {"train.batch_size = 'eight'", ": batch_size is a whole number from 1 to 4096"},
      {"train.batch_size = 8.0", ": batch_size is a whole number"},
      {"train.batch_size = 0", ": batch_size is a whole number"},
      {"train.batch_size = 4097", ": batch_size is a whole number"},
      {"train.learning_rate = 2", ": learning_rate is a number from"},
      {"train.learning_rate = -1e-3", ": learning_rate is a number from"},
      {"train.schedule = 'linear'", ": schedule is 'cosine' or 'exponential'"},
      {"train.float32 = 1", ": float32 is True or False"},
      {"train.licence = CC0", ": "},
      {"train.learning_rate =", ": "},
      {"# nothing", "sets nothing"},
      {"", "sets nothing"},
  };
  for (const auto& [text, problem] : cases) {
    RecipeOverrides overrides;
    const absl::Status error = ReadOverride(text, &overrides);
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(error.message()), HasSubstr(absl::StrCat("'", text, "'"))) << text;
    EXPECT_THAT(std::string(error.message()), HasSubstr(problem)) << text;
  }
}

TEST(ReadOverride, TakesNoBooks) {
  RecipeOverrides overrides;
  const std::string book = "train.description = '" + std::string(kMaxOverrideBytes, 'x') + "'";
  const absl::Status error = ReadOverride(book, &overrides);
  EXPECT_THAT(std::string(error.message()), HasSubstr(absl::StrCat(book.size(), " bytes")));
  EXPECT_LT(error.message().size(), 200u);
}

}  // namespace
}  // namespace ddsp::training
