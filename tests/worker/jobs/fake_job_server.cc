#include "tests/worker/jobs/fake_job_server.h"

#include <filesystem>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "google/rpc/error_details.pb.h"

namespace ddsp::testing {
namespace {

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  const int64_t nanos = absl::ToInt64Nanoseconds(duration);
  proto.set_seconds(nanos / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return proto;
}

}  // namespace

absl::Status ReasonedError(absl::StatusCode code, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  absl::Status error(code, reason);
  error.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
  return error;
}

absl::Status LeaseLostError() { return ReasonedError(absl::StatusCode::kAborted, "LEASE_LOST"); }

v1::LeasedJob MakeLeasedJob(const std::string& name, const v1::JobSpec& spec, absl::Duration lease,
                            absl::Duration heartbeat) {
  v1::LeasedJob leased;
  leased.mutable_job()->set_name("jobs/" + name);
  *leased.mutable_job()->mutable_spec() = spec;
  leased.mutable_job()->set_attempts(1);
  leased.mutable_lease()->set_id("lease-of-" + name);
  *leased.mutable_lease()->mutable_duration() = ToProto(lease);
  *leased.mutable_lease()->mutable_heartbeat() = ToProto(heartbeat);
  return leased;
}

absl::Status FakeJobServer::Next(std::deque<absl::Status>* answers) {
  if (answers->empty()) return absl::OkStatus();
  const absl::Status answer = answers->front();
  if (answers->size() > 1) answers->pop_front();
  return answer;
}

absl::StatusOr<std::vector<v1::LeasedJob>> FakeJobServer::Claim(const v1::ClaimJobsRequest& request, absl::Duration) {
  const MutexLock lock(&mu_);
  claims_.push_back(request);
  RETURN_IF_ERROR(Next(&claim_answers));
  std::vector<v1::LeasedJob> jobs;
  if (!waiting.empty()) {
    jobs.push_back(waiting.front());
    waiting.pop_front();
  }
  return jobs;
}

absl::StatusOr<v1::Job> FakeJobServer::Get(const std::string&, absl::Duration) {
  const MutexLock lock(&mu_);
  return job;
}

absl::StatusOr<v1::HeartbeatResponse> FakeJobServer::Heartbeat(const v1::HeartbeatRequest& request, absl::Duration) {
  if (on_heartbeat) on_heartbeat();
  const MutexLock lock(&mu_);
  RETURN_IF_ERROR(Next(&heartbeat_answers));
  heartbeats_.push_back(request);
  changed_.NotifyAll();
  v1::HeartbeatResponse response;
  response.set_cancel_requested(cancel);
  return response;
}

absl::StatusOr<v1::Job> FakeJobServer::Farewell(std::string said) {
  const MutexLock lock(&mu_);
  farewells_.push_back(std::move(said));
  RETURN_IF_ERROR(Next(&farewell_answers));
  return job;
}

absl::StatusOr<v1::Job> FakeJobServer::Complete(const v1::CompleteJobRequest& request, absl::Duration) {
  {
    const MutexLock lock(&mu_);
    result_ = request.result();
  }
  return Farewell("complete");
}

absl::StatusOr<v1::Job> FakeJobServer::Fail(const v1::FailJobRequest& request, absl::Duration) {
  return Farewell(absl::StrCat(request.permanent() ? "fail for good: " : "fail: ", request.error()));
}

absl::StatusOr<v1::Job> FakeJobServer::Release(const v1::ReleaseJobRequest&, absl::Duration) {
  return Farewell("release");
}

std::vector<v1::ClaimJobsRequest> FakeJobServer::claims() const {
  const MutexLock lock(&mu_);
  return claims_;
}

std::vector<v1::HeartbeatRequest> FakeJobServer::heartbeats() const {
  const MutexLock lock(&mu_);
  return heartbeats_;
}

std::vector<std::string> FakeJobServer::log() const {
  std::vector<std::string> lines;
  for (const v1::HeartbeatRequest& heartbeat : heartbeats()) {
    lines.insert(lines.end(), heartbeat.log_lines().begin(), heartbeat.log_lines().end());
  }
  return lines;
}

std::vector<std::string> FakeJobServer::farewells() const {
  const MutexLock lock(&mu_);
  return farewells_;
}

v1::JobResult FakeJobServer::result() const {
  const MutexLock lock(&mu_);
  return result_;
}

void FakeJobServer::AwaitHeartbeats(size_t count) {
  const MutexLock lock(&mu_);
  while (heartbeats_.size() < count) changed_.Wait(&mu_);
}

absl::Status FakeBlobDepot::Fetch(const std::string& sha256, const std::string& target) {
  const MutexLock lock(&mu_);
  ++fetches_;
  const auto blob = blobs_.find(sha256);
  if (blob == blobs_.end()) return absl::NotFoundError(absl::StrCat("no blob ", sha256));
  std::filesystem::create_directories(std::filesystem::path(target).parent_path());
  return WriteFileAtomically(target, blob->second);
}

absl::StatusOr<v1::JobFile> FakeBlobDepot::Store(const std::string& source, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(source));
  {
    const MutexLock lock(&mu_);
    if (!store_answers.empty()) {
      const absl::Status answer = store_answers.front();
      store_answers.pop_front();
      RETURN_IF_ERROR(answer);
    }
  }
  return Add(path, bytes);
}

v1::JobFile FakeBlobDepot::Add(const std::string& path, const std::string& bytes) {
  v1::JobFile file;
  file.set_path(path);
  file.set_sha256(Sha256Hex(bytes));
  file.set_size(static_cast<int64_t>(bytes.size()));
  const MutexLock lock(&mu_);
  blobs_[file.sha256()] = bytes;
  return file;
}

std::string FakeBlobDepot::BytesOf(const std::string& sha256) const {
  const MutexLock lock(&mu_);
  return blobs_.at(sha256);
}

int64_t FakeBlobDepot::fetches() const {
  const MutexLock lock(&mu_);
  return fetches_;
}

void FakeReporter::SetProgress(int64_t done, int64_t total) {
  const MutexLock lock(&mu_);
  progress_.set_done(done);
  progress_.set_total(total);
}

void FakeReporter::SetMetric(const std::string& name, double value) {
  const MutexLock lock(&mu_);
  (*progress_.mutable_metrics())[name] = value;
}

void FakeReporter::SetCheckpoint(int64_t step, const std::string& sha256) {
  const MutexLock lock(&mu_);
  v1::JobCheckpoint checkpoint;
  checkpoint.set_step(step);
  checkpoint.set_sha256(sha256);
  checkpoints_.push_back(checkpoint);
}

void FakeReporter::AddOutput(const std::string& sha256) {
  const MutexLock lock(&mu_);
  outputs_.push_back(sha256);
}

void FakeReporter::AddExample(const v1::JobFile& file) {
  const MutexLock lock(&mu_);
  *progress_.add_examples() = file;
}

void FakeReporter::Say(const std::string& line) {
  const MutexLock lock(&mu_);
  lines_.push_back(line);
}

v1::JobProgress FakeReporter::progress() const {
  const MutexLock lock(&mu_);
  return progress_;
}

std::vector<v1::JobCheckpoint> FakeReporter::checkpoints() const {
  const MutexLock lock(&mu_);
  return checkpoints_;
}

std::vector<std::string> FakeReporter::outputs() const {
  const MutexLock lock(&mu_);
  return outputs_;
}

std::vector<std::string> FakeReporter::lines() const {
  const MutexLock lock(&mu_);
  return lines_;
}

}  // namespace ddsp::testing
