#include "worker/jobs/work_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/file.h"

namespace ddsp::worker {
namespace {

namespace fs = std::filesystem;

class WorkDirTest : public testing::Test {
 protected:
  WorkDirTest() : path_(testing::TempDir() + "/work_dir_test") { fs::remove_all(path_); }

  int Folders() const {
    int folders = 0;
    for (const auto& entry : fs::directory_iterator(path_)) folders += entry.is_directory();
    return folders;
  }

  const std::string path_;
};

TEST_F(WorkDirTest, WipesAWorkspace) {
  const auto work_dir = WorkDir::Open(path_).value();
  std::string workspace_path;
  {
    const auto workspace = work_dir->MakeWorkspace("jobs/train-1", 1000).value();
    workspace_path = workspace->path();
    ASSERT_TRUE(WriteFileAtomically(workspace->path() + "/file", "x").ok());
  }
  EXPECT_FALSE(fs::exists(workspace_path));
}

TEST_F(WorkDirTest, AWorkspaceIsEmptyAndInside) {
  const auto work_dir = WorkDir::Open(path_).value();
  for (const char* job : {"jobs/a", "jobs/..", "", "../../b"}) {
    const auto workspace = work_dir->MakeWorkspace(job, 0).value();
    EXPECT_TRUE(fs::is_empty(workspace->path()));
    EXPECT_THAT(fs::path(workspace->path()).lexically_normal().string(),
                testing::StartsWith(fs::path(work_dir->path()).lexically_normal().string() + "/"));
  }
}

TEST_F(WorkDirTest, SaysHowMuchDiskIsMissing) {
  const absl::Status status = WorkDir::Open(path_).value()->MakeWorkspace("jobs/a", int64_t{1} << 60).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("1152921504606846976"));
}

TEST_F(WorkDirTest, LeavesTheFoldersOfOthersAlone) {
  const auto one = WorkDir::Open(path_).value(), two = WorkDir::Open(path_).value();
  EXPECT_TRUE(fs::exists(one->path()));
  EXPECT_EQ(Folders(), 2);
}

// A worker that was killed cannot clean up; the next one on its disk does.
TEST_F(WorkDirTest, SweepsAfterAKilledWorker) {
  const pid_t child = fork();
  if (child == 0) {
    const auto work_dir = WorkDir::Open(path_).value();
    const auto workspace = work_dir->MakeWorkspace("jobs/a", 0).value();
    _exit(WriteFileAtomically(workspace->path() + "/file", "x").ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(Folders(), 1);
  const auto work_dir = WorkDir::Open(path_).value();
  EXPECT_EQ(Folders(), 1);
  EXPECT_TRUE(fs::exists(work_dir->path()));
}

TEST_F(WorkDirTest, NamesAFolderThatCannotBe) {
  const absl::Status status = WorkDir::Open("/proc/nothing").status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("/proc/nothing"));
}

}  // namespace
}  // namespace ddsp::worker
