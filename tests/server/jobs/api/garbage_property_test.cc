// Garbage collection against a model, with clients and workers that do as they please and servers that restart.
//
// Theorem: what a job needs is never collected, whoever uploads the same bytes at whatever moment; and what nobody
// needs is gone in the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "server/errors/errors.h"
#include "server/jobs/api/garbage.h"
#include "server/jobs/api/jobs_api.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

class GarbagePropertyTest : public testing::Test {
 protected:
  // What the test knows of a job by other means.
  struct Known {
    std::set<std::string> blobs;  // inputs and result
    std::string checkpoint;
    std::set<std::string> outputs;  // that heartbeats have named
    std::string lease;              // empty: nobody works on it
    bool over = false;
  };

  void SetUp() override {
    folder_ = fs::temp_directory_path() / "ddsp_garbage_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    clock_.Advance(absl::Now() - absl::UnixEpoch());
    Restart();
  }
  void TearDown() override {
    jobs_.reset();
    blobs_.reset();
    fs::remove_all(folder_);
  }
  void Restart() {
    blobs_.reset();
    jobs_ = *MakeSqlJobStore(*OpenSqlite({.path = folder_ + "/jobs"}), clock_, {});
    blobs_ = *BlobStore::Open({.folder = folder_}, clock_);
  }
  uint64_t Any(uint64_t below) { return random_() % below; }

  // Of a small choice, so that jobs share bytes.
  v1::JobFile Upload() {
    const std::string bytes = absl::StrCat("bytes ", Any(30));
    const std::string sha256 = Sha256Hex(bytes);
    const auto begun = blobs_->BeginUpload(sha256, static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(begun.ok()) << begun.status();
    if (!begun->complete) {
      EXPECT_TRUE(blobs_->Append(sha256, 0, bytes, Crc32c(bytes)).ok());
    }
    v1::JobFile file;
    file.set_path("file");
    file.set_sha256(sha256);
    file.set_size(static_cast<int64_t>(bytes.size()));
    return file;
  }
  void Create() {
    v1::CreateJobRequest request;
    *request.mutable_spec()->mutable_features()->add_inputs() = Upload();
    Pause();
    v1::Job job;
    ASSERT_EQ(JobsApi(*jobs_, *blobs_).Create(request, &job), absl::OkStatus());
    known_[job.name()].blobs.insert(request.spec().features().inputs(0).sha256());
  }
  void Claim() {
    v1::ClaimJobsRequest request;
    request.set_worker("w");
    request.add_kinds("features");
    v1::ClaimJobsResponse response;
    ASSERT_EQ(Workers().Claim(request, &response), absl::OkStatus());
    for (const v1::LeasedJob& leased : response.jobs()) {
      known_[leased.job().name()].lease = leased.lease().id();
      EXPECT_EQ(leased.job().checkpoint().sha256(), known_[leased.job().name()].checkpoint);
    }
  }
  void Beat(const std::string& name, Known& known) {
    v1::HeartbeatRequest request;
    request.set_name(name);
    request.set_lease_id(known.lease);
    request.mutable_checkpoint()->set_step(++step_);
    request.mutable_checkpoint()->set_sha256(Upload().sha256());
    if (Any(2) == 0) request.add_outputs(Upload().sha256());
    Pause();
    v1::HeartbeatResponse response;
    ASSERT_EQ(Workers().Heartbeat(request, &response), absl::OkStatus());
    known.checkpoint = request.checkpoint().sha256();
    known.outputs.insert(request.outputs().begin(), request.outputs().end());
  }
  void Complete(const std::string& name, Known& known) {
    v1::CompleteJobRequest request;
    request.set_name(name);
    request.set_lease_id(known.lease);
    *request.mutable_result()->add_files() = Upload();
    Pause();
    v1::Job job;
    ASSERT_EQ(Workers().Complete(request, &job), absl::OkStatus());
    known.blobs.insert(request.result().files(0).sha256());
    known.checkpoint.clear();
    known.outputs.clear();
    known.over = true;
  }
  void SomeWorker() {
    for (auto& [name, known] : known_) {
      if (known.lease.empty() || known.over || Any(3) != 0) continue;
      return Any(4) == 0 ? Complete(name, known) : Beat(name, known);
    }
  }
  // Between an upload and its naming, others go on.
  void Pause() {
    clock_.Advance(absl::Seconds(Any(50)));
    if (Any(2) == 0) Collect();
  }
  void Prune() {
    ASSERT_TRUE(jobs_->PruneFinished({.max_age = absl::Hours(48), .max_finished = 10}, 5).ok());
    std::erase_if(known_, [&](const auto& entry) { return !jobs_->Get(entry.first.substr(5)).ok(); });
  }
  void Collect() {
    const auto collected = CollectGarbage(*jobs_, *blobs_);
    ASSERT_TRUE(collected.ok()) << collected.status();
    for (const auto& [name, known] : known_) {
      for (const std::string& blob : known.blobs) EXPECT_TRUE(blobs_->SizeOf(blob).ok()) << name;
      for (const std::string& blob : known.outputs) EXPECT_TRUE(blobs_->SizeOf(blob).ok()) << name;
      if (!known.checkpoint.empty()) {
        EXPECT_TRUE(blobs_->SizeOf(known.checkpoint).ok()) << name;
      }
    }
  }
  WorkersApi Workers() { return WorkersApi(*jobs_, *blobs_, {}); }
  void Step() {
    switch (Any(12)) {
      case 0:
      case 1:
        return Create();
      case 2:
      case 3:
        return Claim();
      case 4:
        return Prune();
      case 5:
        return Any(4) == 0 ? Restart() : Collect();
      case 6:
        return clock_.Advance(absl::Hours(Any(20)));
      case 7:
        return (void)Upload();
      default:
        return SomeWorker();
    }
  }

  std::string folder_;
  SimClock clock_;
  std::unique_ptr<JobStore> jobs_;
  std::unique_ptr<BlobStore> blobs_;
  std::mt19937_64 random_{42};
  std::map<std::string, Known> known_;
  int64_t step_ = 0;
};

TEST_F(GarbagePropertyTest, NeverTakesWhatIsNeededAndInTheEndTakesTheRest) {
  for (int i = 0; i < 800 && !HasFatalFailure(); ++i) Step();
  ASSERT_GT(known_.size(), 10u);
  clock_.Advance(absl::Hours(24));
  Collect();
  clock_.Advance(absl::Hours(24));
  Collect();
  std::set<std::string> needed;
  for (const auto& [name, known] : known_) {
    needed.insert(known.blobs.begin(), known.blobs.end());
    needed.insert(known.outputs.begin(), known.outputs.end());
    if (!known.checkpoint.empty()) needed.insert(known.checkpoint);
  }
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/blobs")) files += entry.is_regular_file();
  EXPECT_EQ(files, needed.size());
}

}  // namespace
}  // namespace ddsp::server
