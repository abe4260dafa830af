#include "core/artifacts/voice_objects.h"

#include "absl/strings/match.h"
#include "core/base/file.h"
#include "core/models/staged_version.h"
#include "core/models/voice.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/artifacts/memory_store.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::ddsp::testing::MemoryStore;
using ::ddsp::testing::TempDir;
using ::ddsp::testing::WriteTestBundle;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class VoiceObjects : public ::testing::Test {
 protected:
  absl::StatusOr<int64_t> Publish() { return PublishObjects(ReadsBelow(bundle_), "test-voice", store_); }

  TempDir folder_;
  const std::string bundle_ = WriteTestBundle(folder_.path());
  MemoryStore store_;
};

TEST_F(VoiceObjects, ComeBackAsTheyWere) {
  ASSERT_EQ(Publish().value(), 1);
  TempDir elsewhere;
  const StagedVersion staged(elsewhere.path(), "test-voice");
  ASSERT_TRUE(staged.Fill(ReadsVersion(store_, "test-voice", 1)).ok());
  const auto published = staged.PublishAs(1);
  ASSERT_TRUE(published.ok()) << published.status();
  const auto before = ReadBundle(bundle_), after = ReadBundle(published->directory);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ((*after)->golden.output, (*before)->golden.output);
  EXPECT_EQ(*ReadFile(published->directory + "/MANIFEST.textproto"), *ReadFile(bundle_ + "/MANIFEST.textproto"));
}

TEST_F(VoiceObjects, TheManifestIsWrittenLast) {
  ASSERT_TRUE(Publish().ok());
  EXPECT_EQ(store_.written.front(), "test-voice/1/CLAIM");
  EXPECT_EQ(store_.written.back(), "test-voice/1/MANIFEST.textproto");
}

TEST_F(VoiceObjects, WhatBreaksHalfWayIsNoVersion) {
  store_.failing_key = "test-voice/1/weights.safetensors";
  EXPECT_EQ(Publish().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(ListModels(store_)->empty());
  store_.failing_key.clear();
  EXPECT_EQ(Publish().value(), 2);  // the number stays claimed
  EXPECT_THAT(ListModels(store_)->at("test-voice").versions, ElementsAre(Pair(2, ::testing::_)));
}

TEST_F(VoiceObjects, TwoPublishersAtOnceGetTwoNumbers) {
  // Another one claims the number between our look and our claim.
  store_.before_write = [this](const std::string& key) {
    if (!absl::EndsWith(key, "/CLAIM")) return;
    store_.before_write = nullptr;
    ASSERT_EQ(Publish().value(), 1);
  };
  EXPECT_EQ(Publish().value(), 2);
  EXPECT_EQ(ListModels(store_)->at("test-voice").versions.size(), 2);
}

TEST_F(VoiceObjects, ADamagedFileIsNoticedOnTheWay) {
  ASSERT_TRUE(Publish().ok());
  store_.objects["test-voice/1/weights.safetensors"].content.back() ^= 1;
  const absl::Status copied = CopyBundle(ReadsVersion(store_, "test-voice", 1),
                                         [](const std::string&, const std::string&) { return absl::OkStatus(); });
  EXPECT_EQ(copied.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(copied.message()), HasSubstr("weights.safetensors"));
}

TEST_F(VoiceObjects, WhatIsNoVoiceIsPassedOver) {
  for (const char* key :
       {"README.md", "test-voice/notes.txt", "test-voice/01/MANIFEST.textproto", "Loud/1/MANIFEST.textproto",
        "test-voice/0/MANIFEST.textproto", "test-voice/2/golden/MANIFEST.textproto"}) {
    ASSERT_TRUE(store_.Write(key, "", ObjectStore::Put::kNew).ok());
  }
  EXPECT_TRUE(ListModels(store_)->empty());
}

TEST_F(VoiceObjects, AliasesAreTextLikeOnDisk) {
  EXPECT_TRUE(ReadAliases(store_, "test-voice")->empty());
  ASSERT_TRUE(WriteAliases({{"champion", 2}, {"calm", 1}}, "test-voice", store_).ok());
  EXPECT_THAT(*ReadAliases(store_, "test-voice"), ElementsAre(Pair("calm", 1), Pair("champion", 2)));
  store_.objects["test-voice/aliases.textproto"].content = "versions {";
  const auto broken = ReadAliases(store_, "test-voice");
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(broken.status().message()), HasSubstr("memory://store/test-voice/aliases.textproto"));
}

}  // namespace
}  // namespace ddsp
