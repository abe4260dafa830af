#include "server/jobs/api/job_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using testing::HasSubstr;

v1::JobSpec Spec(const std::string& text) {
  v1::JobSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

std::string File(const std::string& path) {
  return "{path: '" + path + "' sha256: '" + std::string(64, 'a') + "' size: 3}";
}

TEST(ValidateJobSpec, TakesEveryKind) {
  EXPECT_EQ(KindOf(Spec("train {}")), "train");
  EXPECT_EQ(Validate(Spec("train {recipe: 'vst' model: 'my-cello' data " + File("a/b.wav") + "}")), absl::OkStatus());
  EXPECT_EQ(Validate(Spec("transfer {model: 'violin' inputs " + File("b.wav") + "}")), absl::OkStatus());
  EXPECT_EQ(Validate(Spec("render {model: 'violin/2' inputs " + File("b.json") + "}")), absl::OkStatus());
  EXPECT_EQ(Validate(Spec("features {inputs " + File("b.wav") + "}")), absl::OkStatus());
}

TEST(ValidateJobSpec, NamesEveryFieldThatIsWrong) {
  const absl::Status error =
      Validate(Spec("train {model: 'My Cello' steps: -1 data {path: '../x' sha256: 'abc' size: -5}}"));
  EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST");
  for (const char* part :
       {"spec.train.recipe is empty", "spec.train.model 'My Cello'", "spec.train.steps -1 is negative",
        "spec.train.data[0].path '../x'", "spec.train.data[0].sha256 'abc'", "spec.train.data[0].size -5"}) {
    EXPECT_THAT(std::string(error.message()), HasSubstr(part));
  }
  EXPECT_THAT(std::string(Validate(Spec("")).message()), HasSubstr("spec has no kind"));
  EXPECT_THAT(std::string(Validate(Spec("features {}")).message()), HasSubstr("spec.features.inputs is empty"));
}

// What a worker would refuse is refused before anybody waits for one.
TEST(ValidateJobSpec, RecipesAndOverridesAreThoseOfWorkers) {
  const std::string rest = " model: 'my-cello' data " + File("a.wav") + "}";
  EXPECT_EQ(Validate(Spec("train {recipe: 'vst' overrides: 'train.batch_size = 8'" + rest)), absl::OkStatus());
  const absl::Status error =
      Validate(Spec("train {recipe: 'opera' overrides: 'train.shards = 2' overrides: 'train.batchsize = 8' "
                    "overrides: 'train.batch_size = 0' overrides: 'train.learning_rate ='" +
                    rest));
  EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST");
  for (const char* part :
       {"spec.train.recipe no recipe 'opera'; there is: ",
        "spec.train.overrides[1] 'train.batchsize = 8' is of no parameter",
        "spec.train.overrides[2] 'train.batch_size = 0': batch_size is a whole number from 1 to 4096",
        "spec.train.overrides[3] 'train.learning_rate ='"}) {
    EXPECT_THAT(std::string(error.message()), HasSubstr(part));
  }
  EXPECT_THAT(std::string(error.message()), testing::Not(HasSubstr("overrides[0]")));
  v1::JobSpec spec = Spec("train {recipe: 'vst'" + rest);
  for (int i = 0; i < 65; ++i) spec.mutable_train()->add_overrides("train.shards = 2");
  EXPECT_THAT(std::string(Validate(spec).message()), HasSubstr("spec.train.overrides holds 65; at most 64"));
}

TEST(ValidateJobSpec, PathsStayBelowTheirFolder) {
  for (const char* path : {"", "/etc/passwd", "a//b", "a/", "./a", "a/../../b", ".."}) {
    EXPECT_FALSE(Validate(Spec("features {inputs " + File(path) + "}")).ok()) << path;
  }
  EXPECT_TRUE(Validate(Spec("features {inputs " + File("..a/b..c/.d") + "}")).ok());
  const absl::Status twice = Validate(Spec("features {inputs " + File("a") + " inputs " + File("a") + "}"));
  EXPECT_THAT(std::string(twice.message()), HasSubstr("inputs[1].path 'a' is there twice"));
}

}  // namespace
}  // namespace ddsp::server
