#include "server/jobs/desk/job_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "server/errors/errors.h"
#include "server/jobs/anchored_clock.h"
#include "tests/server/jobs/desk/desk_fixture.h"
#include "tests/server/jobs/test_database.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

class JobDeskTest : public ::testing::Test {
 protected:
  JobDeskTest() { options_.data_dir = directory_.path() + "/data"; }
  absl::StatusOr<std::unique_ptr<JobDesk>> Open() {
    return JobDesk::Open(options_, {.models = models_, .metrics = metrics_, .clock = clock_});
  }
  void ExpectRefusal(absl::StatusCode code, const std::vector<std::string>& said) {
    const absl::Status error = Open().status();
    EXPECT_EQ(error.code(), code) << error;
    for (const std::string& part : said) EXPECT_THAT(std::string(error.message()), HasSubstr(part));
  }

  TempDir directory_;
  AnchoredClock clock_;
  FakeModels models_;
  ServerMetrics metrics_;
  JobDeskOptions options_;
};

TEST_F(JobDeskTest, MakesTheDataDir) {
  ASSERT_TRUE(Open().ok());
  for (const char* part : {"jobs.sqlite", "blobs", "uploads", "models"}) {
    EXPECT_TRUE(fs::exists(fs::path(options_.data_dir) / part)) << part;
  }
}

TEST_F(JobDeskTest, OneProcessHasADataDir) {
  const auto first = Open();
  ASSERT_TRUE(first.ok());
  ExpectRefusal(absl::StatusCode::kFailedPrecondition,
                {"--data-dir '" + options_.data_dir + "'", "another process has"});
}

TEST_F(JobDeskTest, RefusesADataDirThatIsNone) {
  ASSERT_TRUE(WriteFileAtomically(directory_.path() + "/file", "x").ok());
  options_.data_dir = directory_.path() + "/file";
  ExpectRefusal(absl::StatusCode::kFailedPrecondition, {"--data-dir '" + options_.data_dir + "'", "Not a directory"});
  options_.data_dir = "/proc/ddsp";
  ExpectRefusal(absl::StatusCode::kNotFound, {"--data-dir '/proc/ddsp'"});
}

TEST_F(JobDeskTest, RefusesADatabaseFileThatIsNone) {
  fs::create_directories(options_.data_dir);
  ASSERT_TRUE(WriteFileAtomically(options_.data_dir + "/jobs.sqlite", std::string(4096, 'x')).ok());
  ExpectRefusal(absl::StatusCode::kFailedPrecondition, {"--data-dir", "jobs.sqlite"});
}

TEST_F(JobDeskTest, RefusesTheGivenRepositoryAsItsOwn) {
  options_.bundled_repository = options_.data_dir + "/models";
  ExpectRefusal(absl::StatusCode::kInvalidArgument, {"--data-dir", "--model-repository"});
}

TEST_F(JobDeskTest, ADatabaseThatCannotBeReachedIsNamedWithoutItsPassword) {
  options_.database = "postgresql://ddsp:secret@127.0.0.1:1/ddsp?connect_timeout=2";
  const absl::Status error = Open().status();
  EXPECT_EQ(ReasonOf(error), "");
  EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()), HasSubstr("--job-database"));
  EXPECT_THAT(std::string(error.message()), HasSubstr("127.0.0.1"));
  EXPECT_THAT(std::string(error.message()), ::testing::Not(HasSubstr("secret")));
}

// Jobs in a database, bytes in a folder: two servers with folders of their own would lose each other's.
TEST_F(JobDeskTest, ADatabaseIsOneDataDirs) {
  if (SharedPostgres() == nullptr) GTEST_SKIP() << "Debian's package postgresql is not installed";
  options_.database = SharedPostgres()->NewDatabase();
  ASSERT_EQ(Open().status(), absl::OkStatus());
  ASSERT_EQ(Open().status(), absl::OkStatus()) << "started again";
  const std::string first = options_.data_dir;
  options_.data_dir = directory_.path() + "/other";
  ExpectRefusal(absl::StatusCode::kFailedPrecondition, {"--job-database: ", first, options_.data_dir});
  EXPECT_FALSE(fs::exists(options_.data_dir + "/jobs.sqlite"));
  // What was moved, or restored from a copy, is the same.
  fs::rename(first, directory_.path() + "/moved");
  options_.data_dir = directory_.path() + "/moved";
  EXPECT_EQ(Open().status(), absl::OkStatus());
}

TEST_F(JobDeskTest, ServersWithoutADeskStillKnowTheMethods) {
  MethodTable with, without;
  (*Open())->AddMethods(&with);
  AddNoJobsMethods(&without);
  EXPECT_THAT(with.services(), ::testing::ElementsAre("ddsp.v1.Jobs"));
  EXPECT_TRUE(without.Has("ddsp.v1.Jobs", "Create"));
  EXPECT_TRUE(without.Has("ddsp.v1.Jobs", "Watch"));
}

}  // namespace
}  // namespace ddsp::server
