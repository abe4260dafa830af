#include "server/rpc/models_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/rpc/model_message.h"

namespace ddsp::server {
namespace {

using ::testing::ElementsAre;

std::vector<ModelStatus> Models(int count) {
  std::vector<ModelStatus> models;
  for (int i = 0; i < count; ++i) models.push_back({.name = absl::StrCat("voice-", 1000 + i)});
  return models;
}

TEST(ListModels, GoesPageByPageWithoutGapsAndRepeats) {
  const std::vector<ModelStatus> models = Models(25);
  for (const int page_size : {1, 7, 24, 25, 26, 0}) {
    std::vector<std::string> names;
    v1::ListModelsRequest request;
    request.set_page_size(page_size);
    do {
      v1::ListModelsResponse response;
      ASSERT_TRUE(ListModels(models, request, &response).ok());
      if (page_size > 0) {
        EXPECT_LE(response.models_size(), page_size);
      }
      for (const v1::Model& model : response.models()) names.push_back(model.name());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    ASSERT_EQ(names.size(), models.size()) << page_size;
    for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], "models/" + models[i].name);
  }
}

// A token stands for a place, not for a model that must still be there.
TEST(ListModels, GoesOnAfterAModelThatHasGone) {
  v1::ListModelsRequest request;
  request.set_page_token("voice-1001");
  v1::ListModelsResponse response;
  std::vector<ModelStatus> models = Models(4);
  models.erase(models.begin() + 1);
  ASSERT_TRUE(ListModels(models, request, &response).ok());
  ASSERT_EQ(response.models_size(), 2);
  EXPECT_EQ(response.models(0).name(), "models/voice-1002");
}

TEST(ListModels, BoundsThePage) {
  v1::ListModelsRequest request;
  request.set_page_size(1 << 30);
  v1::ListModelsResponse response;
  ASSERT_TRUE(ListModels(Models(1500), request, &response).ok());
  EXPECT_EQ(response.models_size(), 1000);
}

TEST(ListModels, RefusesWhatMakesNoSense) {
  v1::ListModelsRequest request;
  v1::ListModelsResponse response;
  request.set_page_size(-1);
  EXPECT_EQ(ReasonOf(ListModels({}, request, &response)), "INVALID_MODEL_REQUEST");
  request.set_page_size(0);
  request.set_page_token("../etc");
  EXPECT_EQ(ReasonOf(ListModels({}, request, &response)), "INVALID_MODEL_REQUEST");
}

TEST(ModelMessage, SaysEverythingThatIsKnown) {
  const auto voice = std::make_shared<Voice>();
  voice->spec.set_sample_rate_hz(16000);
  voice->spec.set_latency_samples(832);
  const v1::Model message =
      ToMessage({.name = "violin",
                 .versions = {{.version = 2,
                               .state = VersionState::kReady,
                               .pinned = true,
                               .voice = voice,
                               .sessions = 3,
                               .slots = 8,
                               .load_seconds = 1.25},
                              {.version = 3, .state = VersionState::kUnavailable, .reason = "bad"}},
                 .aliases = {{"champion", 2}},
                 .serving = 2,
                 .revision = 9});
  EXPECT_EQ(message.name(), "models/violin");
  EXPECT_EQ(message.serving_version(), 2);
  EXPECT_EQ(message.revision(), 9);
  EXPECT_EQ(message.aliases().at("champion"), 2);
  EXPECT_EQ(message.versions(0).name(), "models/violin/versions/2");
  EXPECT_TRUE(message.versions(0).pinned());
  EXPECT_EQ(message.versions(0).loaded().sessions(), 3);
  EXPECT_EQ(message.versions(0).loaded().load_time().nanos(), 250000000);
  EXPECT_EQ(message.versions(1).state(), v1::VERSION_STATE_UNAVAILABLE);
  EXPECT_EQ(message.versions(1).reason(), "bad");
  EXPECT_FALSE(message.versions(1).has_loaded());
}

TEST(ModelNames, AreReadStrictly) {
  EXPECT_EQ(*ModelOf("models/violin"), "violin");
  EXPECT_EQ(VersionNameOf("models/violin")->version, 0);
  EXPECT_EQ(VersionNameOf("models/violin/versions/12")->version, 12);
  EXPECT_EQ(AliasNameOf("models/violin/aliases/champion")->alias, "champion");
  for (const char* name :
       {"", "models", "models/", "models//", "violin", "models/violin/", "Models/violin", "models/a/b"}) {
    EXPECT_FALSE(ModelOf(name).ok()) << name;
    EXPECT_FALSE(VersionNameOf(name).ok()) << name;
    EXPECT_FALSE(AliasNameOf(name).ok()) << name;
  }
  for (const char* name : {"models/violin/versions/0", "models/violin/versions/-1",
                           "models/violin/versions/99999999999999999999", "models/violin/version/1"}) {
    EXPECT_FALSE(VersionNameOf(name).ok()) << name;
  }
  // Of a long name only the beginning is repeated.
  EXPECT_LT(ModelOf(std::string(1 << 20, 'x')).status().message().size(), 200u);
}

}  // namespace
}  // namespace ddsp::server
