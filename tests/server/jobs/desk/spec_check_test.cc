#include "server/jobs/desk/spec_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;

class SpecCheckTest : public ::testing::Test {
 protected:
  SpecCheckTest() {
    ddsp::testing::WriteTestBundle(bundled_.path(), {.name = "violin"});
    ddsp::testing::WriteTestBundle(trained_.path(), {.name = "my-cello"}, /*version=*/3);
  }
  absl::Status Train(const std::string& model) const {
    v1::JobSpec spec;
    spec.mutable_train()->set_model(model);
    return check_(spec);
  }
  absl::Status Transfer(const std::string& model) const {
    v1::JobSpec spec;
    spec.mutable_transfer()->set_model(model);
    return check_(spec);
  }

  ddsp::testing::TempDir bundled_, trained_;
  const SpecCheck check_ = MakeSpecCheck(bundled_.path(), trained_.path());
};

TEST_F(SpecCheckTest, NamesOfGivenVoicesAreNotTrained) {
  EXPECT_EQ(Train("my-cello"), absl::OkStatus()) << "its next version";
  EXPECT_EQ(Train("my-viola"), absl::OkStatus());
  for (const char* name : {"violin", "features", "unknown"}) {
    const absl::Status error = Train(name);
    EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST");
    EXPECT_THAT(std::string(error.message()), HasSubstr(std::string("'") + name + "'"));
  }
}

TEST_F(SpecCheckTest, WhatPlaysIsInOneOfTheRepositories) {
  for (const char* model : {"violin", "violin/1", "my-cello", "my-cello/3"})
    EXPECT_EQ(Transfer(model), absl::OkStatus());
  for (const char* model : {"cello", "violin/2", "my-cello@best", "../violin", ""}) {
    EXPECT_EQ(ReasonOf(Transfer(model)), "MODEL_NOT_FOUND") << model;
  }
  v1::JobSpec render;
  render.mutable_render()->set_model("viola");
  EXPECT_EQ(ReasonOf(check_(render)), "MODEL_NOT_FOUND");
  v1::JobSpec features;
  features.mutable_features();
  EXPECT_EQ(check_(features), absl::OkStatus());
}

TEST_F(SpecCheckTest, FeaturesAreOfARateThatTheExtractorKnows) {
  v1::JobSpec spec;
  for (const int rate : {25, 50, 100, 250}) {
    spec.mutable_features()->set_frame_rate_hz(rate);
    EXPECT_EQ(check_(spec), absl::OkStatus()) << rate;
  }
  for (const int rate : {1, 24, 30, 99}) {
    spec.mutable_features()->set_frame_rate_hz(rate);
    EXPECT_EQ(ReasonOf(check_(spec)), "INVALID_JOB_REQUEST") << rate;
    EXPECT_THAT(std::string(check_(spec).message()), HasSubstr("spec.features.frame_rate_hz"));
    EXPECT_THAT(std::string(check_(spec).message()), HasSubstr(std::to_string(rate)));
  }
}

}  // namespace
}  // namespace ddsp::server
