#include "server/kserve/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server::kserve {
namespace {

// Remembers what it was asked.
class FakeControl : public ModelControl {
 public:
  absl::Status Load(const std::string& model, int64_t version) override { return Note("load", model, version); }
  absl::Status Unload(const std::string& model, int64_t version) override { return Note("unload", model, version); }
  absl::Status SetAlias(const std::string&, const std::string&, int64_t) override { return absl::OkStatus(); }
  absl::Status DeleteAlias(const std::string&, const std::string&) override { return absl::OkStatus(); }

  std::string asked;

 private:
  absl::Status Note(const char* what, const std::string& model, int64_t version) {
    asked = absl::StrCat(what, " ", model, " ", version);
    return absl::OkStatus();
  }
};

inference::RepositoryModelLoadRequest LoadRequest(const std::string& model) {
  inference::RepositoryModelLoadRequest request;
  request.set_model_name(model);
  return request;
}

TEST(LoadModel, MeansTheNewestOrAVersion) {
  FakeControl control;
  EXPECT_TRUE(LoadModel(control, LoadRequest("violin")).ok());
  EXPECT_EQ(control.asked, "load violin 0");
  EXPECT_TRUE(LoadModel(control, LoadRequest("violin/3")).ok());
  EXPECT_EQ(control.asked, "load violin 3");
}

TEST(LoadModel, RefusesWhatIsNoName) {
  FakeControl control;
  for (const char* name : {"", "../etc", "Violin", "violin/", "violin/0", "violin/03", "violin/-1", "violin/3/4"}) {
    const absl::Status status = LoadModel(control, LoadRequest(name));
    EXPECT_EQ(ReasonOf(status), "INVALID_MODEL_REQUEST") << name;
  }
  EXPECT_EQ(control.asked, "");
}

// Triton lets a client bring configuration and files along; here they come by publishing.
TEST(LoadModel, TakesNoFilesAndNoConfiguration) {
  FakeControl control;
  inference::RepositoryModelLoadRequest request = LoadRequest("violin");
  (*request.mutable_parameters())["config"].set_string_param("{}");
  EXPECT_EQ(ReasonOf(LoadModel(control, request)), "INVALID_MODEL_REQUEST");
  EXPECT_EQ(control.asked, "");
}

TEST(UnloadModel, KnowsTheParameterOfTriton) {
  FakeControl control;
  inference::RepositoryModelUnloadRequest request;
  request.set_model_name("violin");
  (*request.mutable_parameters())["unload_dependents"].set_bool_param(false);
  EXPECT_TRUE(UnloadModel(control, request).ok());
  EXPECT_EQ(control.asked, "unload violin 0");
  request.set_repository_name("elsewhere");
  EXPECT_EQ(ReasonOf(UnloadModel(control, request)), "INVALID_MODEL_REQUEST");
}

TEST(IndexRepository, TellsStatesInTritonsWords) {
  const std::vector<ModelStatus> models = {
      {.name = "cello", .versions = {{.version = 1, .state = VersionState::kUnavailable, .reason = "no weights"}}},
      {.name = "violin",
       .versions = {{.version = 1, .state = VersionState::kUnloading}, {.version = 2, .state = VersionState::kReady}}}};
  inference::RepositoryIndexResponse all, ready;
  inference::RepositoryIndexRequest request;
  ASSERT_TRUE(IndexRepository(models, request, &all).ok());
  ASSERT_EQ(all.models_size(), 3);
  EXPECT_EQ(all.models(0).state(), "UNAVAILABLE");
  EXPECT_EQ(all.models(0).reason(), "no weights");
  EXPECT_EQ(all.models(1).state(), "UNLOADING");
  request.set_ready(true);
  ASSERT_TRUE(IndexRepository(models, request, &ready).ok());
  ASSERT_EQ(ready.models_size(), 1);
  EXPECT_EQ(ready.models(0).name() + ready.models(0).version() + ready.models(0).state(), "violin2READY");
}

}  // namespace
}  // namespace ddsp::server::kserve
