#include "server/registry/remote_repository.h"

#include <filesystem>

#include "core/models/repository.h"
#include "core/models/staged_version.h"
#include "core/models/voice.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/artifacts/memory_store.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using ::ddsp::testing::MemoryStore;
using ::ddsp::testing::TempDir;
using ::testing::ElementsAre;

class RemoteRepositoryTest : public ::testing::Test {
 protected:
  RemoteRepositoryTest() {
    auto store = std::make_unique<MemoryStore>();
    store_ = store.get();
    remote_ = std::make_unique<RemoteRepository>(std::move(store), folder_.path() + "/mirror", VersionPolicies());
    bundle_ = ddsp::testing::WriteTestBundle(folder_.path());
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(PublishObjects(ReadsBelow(bundle_), "test-voice", *store_).ok());
    }
  }
  std::vector<int64_t> Mirrored() const {
    std::vector<int64_t> versions;
    const std::vector<VoiceLocation> voices = ListVoices(remote_->mirror()).value();
    for (const VoiceLocation& voice : voices) versions.push_back(voice.version);
    return versions;
  }

  TempDir folder_;
  MemoryStore* store_ = nullptr;
  std::unique_ptr<RemoteRepository> remote_;
  std::string bundle_;
};

TEST_F(RemoteRepositoryTest, MirrorsWhatThePolicyPicks) {
  ASSERT_TRUE(remote_->Refresh().ok());
  EXPECT_THAT(Mirrored(), ElementsAre(3));
  EXPECT_TRUE(ReadBundle(remote_->mirror() + "/test-voice/3").ok());
}

TEST_F(RemoteRepositoryTest, MirrorsWhatAliasesNameAndTheAliases) {
  ASSERT_TRUE(remote_->WriteAliases("test-voice", {{"champion", 1}}).ok());
  ASSERT_TRUE(remote_->Refresh().ok());
  EXPECT_THAT(Mirrored(), ElementsAre(1, 3));
  EXPECT_EQ(ReadAliases(remote_->mirror() + "/test-voice")->at("champion"), 1);
}

TEST_F(RemoteRepositoryTest, FetchesAVersionThatIsAskedFor) {
  ASSERT_TRUE(remote_->Refresh().ok());
  ASSERT_TRUE(remote_->Fetch("test-voice", 2).ok());
  EXPECT_THAT(Mirrored(), ElementsAre(2, 3));
  EXPECT_EQ(remote_->Fetch("test-voice", 9).code(), absl::StatusCode::kNotFound);
}

TEST_F(RemoteRepositoryTest, KeepsItsMirrorWhileTheStoreIsAway) {
  ASSERT_TRUE(remote_->Refresh().ok());
  ASSERT_TRUE(PublishObjects(ReadsBelow(bundle_), "test-voice", *store_).ok());
  store_->away = true;
  EXPECT_EQ(remote_->Refresh().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Mirrored(), ElementsAre(3));
  store_->away = false;
  ASSERT_TRUE(remote_->Refresh().ok());
  EXPECT_THAT(Mirrored(), ElementsAre(3, 4));
}

TEST_F(RemoteRepositoryTest, DropsWhatIsGone) {
  ASSERT_TRUE(remote_->Refresh().ok());
  store_->objects.erase("test-voice/3/MANIFEST.textproto");
  ASSERT_TRUE(remote_->Refresh().ok());
  EXPECT_THAT(Mirrored(), ElementsAre(2));
}

TEST_F(RemoteRepositoryTest, ADamagedVersionIsNamedAndNotMirrored) {
  store_->objects["test-voice/3/model.textproto"].content += " ";
  const absl::Status status = remote_->Refresh();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("test-voice/3: model.textproto"));
  EXPECT_TRUE(Mirrored().empty());
}

}  // namespace
}  // namespace ddsp::server
