#include "server/jobs/desk/voice_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using testing::HasSubstr;

v1::JobResult ResultOf(const std::vector<std::string>& paths, int64_t size = 1) {
  v1::JobResult result;
  for (const std::string& path : paths) {
    v1::JobFile* const file = result.add_files();
    file->set_path(path);
    file->set_sha256(std::string(64, 'a'));
    file->set_size(size);
  }
  return result;
}

void ExpectRefusal(const v1::JobResult& result, const std::string& said, const VoiceFileLimits& limits = {}) {
  const absl::Status error = VoiceFilesOf(result, limits).status();
  EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST") << said;
  EXPECT_THAT(std::string(error.message()), HasSubstr(said));
}

TEST(VoiceFilesOf, AreThoseBelowVoice) {
  const auto files = VoiceFilesOf(
      ResultOf({"report/evaluation.json", "voice/MANIFEST.textproto", "voice/golden/golden.safetensors"}), {});
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].path, "MANIFEST.textproto");
  EXPECT_EQ((*files)[1].path, "golden/golden.safetensors");
}

TEST(VoiceFilesOf, RefusesPathsThatLeaveOrHide) {
  const std::vector<std::string> paths = {
      "../escape", "a/../../escape",       "/etc/passwd",        "", "a//b", ".hidden",
      "a/.hidden", std::string("a\0b", 3), std::string(300, 'n')};
  for (const std::string& path : paths) {
    ExpectRefusal(ResultOf({"voice/MANIFEST.textproto", "voice/" + path}), "result.files[1].path");
  }
  ExpectRefusal(ResultOf({"voice/MANIFEST.textproto", "voice/JOB"}), "'JOB' is a name that the server keeps");
}

TEST(VoiceFilesOf, RefusesWhatIsNoVoiceOrTooMuchOfOne) {
  ExpectRefusal(ResultOf({}), "has no voice/MANIFEST.textproto");
  ExpectRefusal(ResultOf({"voice/model.textproto", "MANIFEST.textproto"}), "has no voice/MANIFEST.textproto");
  const v1::JobResult three = ResultOf({"voice/MANIFEST.textproto", "voice/a", "voice/b", "report/c"}, 10);
  EXPECT_TRUE(VoiceFilesOf(three, {.max_files = 3, .max_bytes = 30}).ok());
  ExpectRefusal(three, "3 files of the voice; at most 2", {.max_files = 2, .max_bytes = 30});
  ExpectRefusal(three, "30 bytes of the voice; at most 29", {.max_files = 3, .max_bytes = 29});
}

}  // namespace
}  // namespace ddsp::server
