#include "core/models/repository.h"

#include <filesystem>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

class RepositoryTest : public ::testing::Test {
 protected:
  void Add(const std::string& model, const std::string& version, bool published = true) {
    const std::string directory = root_.path() + "/" + model + "/" + version;
    std::filesystem::create_directories(directory);
    if (!published) return;
    ASSERT_TRUE(WriteFileAtomically(directory + "/MANIFEST.textproto", "").ok());
  }
  testing::TempDir root_;
};

TEST_F(RepositoryTest, ListsPublishedVersionsInOrder) {
  Add("violin", "2");
  Add("violin", "10");
  Add("flute", "1");
  Add("violin", "11", /*published=*/false);
  Add("violin", "07");
  Add("Not A Name", "1");
  std::vector<std::string> found;
  const auto voices = ListVoices(root_.path());
  ASSERT_TRUE(voices.ok());
  for (const auto& voice : *voices) found.push_back(voice.model + "/" + std::to_string(voice.version));
  EXPECT_THAT(found, ::testing::ElementsAre("flute/1", "violin/2", "violin/10"));
}

TEST_F(RepositoryTest, FindsByNameVersionAndAlias) {
  Add("violin", "2");
  Add("violin", "10");
  ASSERT_TRUE(
      WriteFileAtomically(root_.path() + "/violin/aliases.textproto", "versions { key: \"champion\" value: 2 }").ok());
  EXPECT_EQ(FindVoice(root_.path(), "violin")->version, 10);
  EXPECT_EQ(FindVoice(root_.path(), "violin/2")->version, 2);
  EXPECT_EQ(FindVoice(root_.path(), "violin@champion")->version, 2);
}

TEST_F(RepositoryTest, SaysWhatIsMissing) {
  Add("violin", "1");
  const auto error = [&](const char* name) { return FindVoice(root_.path(), name).status(); };
  EXPECT_EQ(error("tuba").code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(error("tuba").message()), HasSubstr("there is: violin"));
  EXPECT_EQ(error("violin/3").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(error("violin@best").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(error("violin/x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(error("../violin").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(error("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ListVoices("/nonexistent").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp
