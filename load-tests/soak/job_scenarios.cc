// Who has work done by workers: uploads, jobs, workers, and those of each that leave in the middle.
#include <chrono>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/jobs.grpc.pb.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

constexpr std::chrono::seconds kPatience(30);
constexpr size_t kChunk = 64 << 10;

// The Jobs service as one client calls it.
class Jobs {
 public:
  explicit Jobs(const Visit& visit) : stub_(v1::Jobs::NewStub(visit.Connect())) {}

  template <class Request, class Response>
  absl::Status Ask(grpc::Status (v1::Jobs::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response, std::initializer_list<const char*> expected = {"OK"}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return Expect((stub_.get()->*method)(&context, request, response), expected);
  }
  // Watches a job for so long.
  absl::Status Watch(const std::string& name, double seconds) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(std::llround(1000 * seconds)));
    v1::WatchJobRequest request;
    request.set_name(name);
    const auto reader = stub_->Watch(&context, request);
    v1::Job job;
    while (reader->Read(&job)) continue;
    return Expect(reader->Finish(), {"OK", "DEADLINE_EXCEEDED"});  // OK: somebody has done it
  }

 private:
  const std::unique_ptr<v1::Jobs::Stub> stub_;
};

v1::JobFile FileOf(const std::string& path, const std::string& bytes) {
  v1::JobFile file;
  file.set_path(path);
  file.set_sha256(Sha256Hex(bytes));
  file.set_size(static_cast<int64_t>(bytes.size()));
  return file;
}

v1::UploadChunkRequest ChunkOf(const std::string& sha256, const std::string& bytes, size_t offset) {
  v1::UploadChunkRequest chunk;
  chunk.set_sha256(sha256);
  chunk.set_offset(static_cast<int64_t>(offset));
  chunk.set_data(bytes.substr(offset, kChunk));
  chunk.set_crc32c(Crc32c(chunk.data()));
  return chunk;
}

absl::Status Begin(Jobs& jobs, const v1::JobFile& file, v1::UploadStatus* status) {
  v1::BeginUploadRequest begin;
  begin.set_sha256(file.sha256());
  begin.set_size(file.size());
  return jobs.Ask(&v1::Jobs::Stub::BeginUpload, begin, status);
}

// Uploads what is missing of `bytes`.
absl::StatusOr<v1::JobFile> Upload(Jobs& jobs, const std::string& path, const std::string& bytes) {
  const v1::JobFile file = FileOf(path, bytes);
  v1::UploadStatus status;
  RETURN_IF_ERROR(Begin(jobs, file, &status));
  while (!status.complete()) {
    const size_t offset = static_cast<size_t>(status.offset());
    RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::UploadChunk, ChunkOf(file.sha256(), bytes, offset), &status));
  }
  return file;
}

// A job of one recording, which waits.
absl::StatusOr<v1::Job> Order(Visit& visit, Jobs& jobs) {
  v1::CreateJobRequest request;
  ASSIGN_OR_RETURN(*request.mutable_spec()->mutable_features()->add_inputs(),
                   Upload(jobs, "one.wav", visit.Bytes(visit.Between(1, 4 * kChunk))));
  request.set_request_id(absl::StrCat("soak-", visit.Between(0, int64_t{1} << 60)));
  v1::Job job, again;
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Create, request, &job));
  if (!visit.Chance(0.3)) return job;
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Create, request, &again));
  if (again.name() != job.name()) return absl::InternalError("one request made two jobs");
  return job;
}

absl::Status Cancel(Jobs& jobs, const std::string& name) {
  v1::CancelJobRequest request;
  request.set_name(name);
  v1::Job job;
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Cancel, request, &job));
  // Clients of mutated messages may have taken it to work on.
  const bool seen = job.done() || job.cancel_requested();
  return seen ? absl::OkStatus() : absl::InternalError(name + " was cancelled and goes on");
}

absl::Status OrderAndCancel(Visit& visit) {
  Jobs jobs(visit);
  ASSIGN_OR_RETURN(const v1::Job job, Order(visit, jobs));
  v1::ListJobsRequest list;
  v1::ListJobsResponse page;
  list.set_page_size(static_cast<int32_t>(visit.Between(1, 20)));
  list.set_filter("done = false");
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::List, list, &page));
  if (page.jobs().empty()) return absl::InternalError("a job that waits is not listed");
  return Cancel(jobs, job.name());
}

absl::Status FollowAJob(Visit& visit) {
  Jobs jobs(visit);
  ASSIGN_OR_RETURN(const v1::Job job, Order(visit, jobs));
  RETURN_IF_ERROR(jobs.Watch(job.name(), visit.Seconds(0.1, 10)));
  return Cancel(jobs, job.name());
}

// The lease of `job`; none where somebody else has it.
absl::StatusOr<v1::ClaimJobsResponse> Claim(Jobs& jobs, const v1::Job& job) {
  v1::ClaimJobsRequest claim;
  claim.set_worker("soak");
  claim.add_kinds("features");
  claim.set_name(job.name());
  v1::ClaimJobsResponse response;
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Claim, claim, &response));
  return response;
}

absl::Status Work(Visit& visit) {
  Jobs jobs(visit);
  ASSIGN_OR_RETURN(const v1::Job job, Order(visit, jobs));
  ASSIGN_OR_RETURN(const v1::ClaimJobsResponse claimed, Claim(jobs, job));
  if (claimed.jobs().empty()) return absl::OkStatus();
  v1::HeartbeatRequest heartbeat;
  v1::HeartbeatResponse heard;
  heartbeat.set_name(job.name());
  heartbeat.set_lease_id(claimed.jobs(0).lease().id());
  heartbeat.mutable_progress()->set_total(1);
  heartbeat.add_log_lines(visit.OneOf<std::string>({"one.wav", "half of it", std::string(5000, 'x')}));
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Heartbeat, heartbeat, &heard));
  const std::string table = visit.Bytes(visit.Between(1, kChunk));
  v1::CompleteJobRequest complete;
  complete.set_name(job.name());
  complete.set_lease_id(heartbeat.lease_id());
  ASSIGN_OR_RETURN(*complete.mutable_result()->add_files(), Upload(jobs, "one.csv", table));
  v1::Job done;
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Complete, complete, &done));
  v1::DownloadChunkRequest fetch;
  v1::DownloadChunkResponse fetched;
  fetch.set_sha256(done.result().files(0).sha256());
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::DownloadChunk, fetch, &fetched));
  if (fetched.data() != table) return absl::DataLossError("a result is not what was uploaded");
  return jobs.Ask(&v1::Jobs::Stub::Heartbeat, heartbeat, &heard, {"LEASE_LOST"});
}

// A worker goes without a word; its job waits for another, and is cancelled in the end.
absl::Status DieAtWork(Visit& visit) {
  Jobs jobs(visit);
  ASSIGN_OR_RETURN(const v1::Job job, Order(visit, jobs));
  RETURN_IF_ERROR(Claim(jobs, job).status());
  RETURN_IF_ERROR(jobs.Watch(job.name(), visit.Seconds(1, 15)));
  return Cancel(jobs, job.name());
}

// An upload is cut off, and somebody else goes on with it, or throws it away.
absl::Status LeaveAnUpload(Visit& visit) {
  const std::string bytes = visit.Bytes(visit.Between(2 * kChunk, 6 * kChunk));
  const v1::JobFile file = FileOf("one.wav", bytes);
  v1::UploadStatus status;
  {
    Jobs gone(visit);
    RETURN_IF_ERROR(Begin(gone, file, &status));
    RETURN_IF_ERROR(gone.Ask(&v1::Jobs::Stub::UploadChunk, ChunkOf(file.sha256(), bytes, 0), &status));
  }
  Visit::Sleep(visit.Seconds(0, 1));
  Jobs jobs(visit);
  RETURN_IF_ERROR(Begin(jobs, file, &status));
  RETURN_IF_ERROR(ExpectCount("bytes of an upload that was cut off", kChunk, status.offset()));
  if (visit.Chance(0.5)) return Upload(jobs, file.path(), bytes).status();
  v1::CancelUploadRequest cancel;
  cancel.set_sha256(file.sha256());
  return jobs.Ask(&v1::Jobs::Stub::CancelUpload, cancel, &status);
}

absl::Status UploadWrong(Visit& visit) {
  Jobs jobs(visit);
  const std::string bytes = visit.Bytes(100);
  const v1::JobFile file = FileOf("one.wav", bytes);
  v1::UploadStatus status;
  RETURN_IF_ERROR(Begin(jobs, file, &status));
  v1::UploadChunkRequest chunk = ChunkOf(file.sha256(), bytes, 0);
  const char* reason = "";
  if (visit.Chance(0.5)) {
    chunk.set_crc32c(chunk.crc32c() + 1), reason = "BLOB_CHECKSUM_MISMATCH";
  } else {
    chunk.set_offset(1), reason = "UPLOAD_OFFSET_MISMATCH";
  }
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::UploadChunk, chunk, &status, {reason}));
  v1::CancelUploadRequest cancel;
  cancel.set_sha256(file.sha256());
  return jobs.Ask(&v1::Jobs::Stub::CancelUpload, cancel, &status);
}

absl::Status OrderWrong(Visit& visit) {
  Jobs jobs(visit);
  v1::CreateJobRequest request;
  v1::Job job;
  v1::JobFile& file = *request.mutable_spec()->mutable_features()->add_inputs();
  file = FileOf("one.wav", visit.Bytes(100));
  const char* reason = "";
  switch (visit.Between(0, 2)) {
    case 0:
      reason = "BLOB_NOT_FOUND";
      break;
    case 1:
      file.set_path("../one.wav"), reason = "INVALID_JOB_REQUEST";
      break;
    default:
      request.clear_spec(), reason = "INVALID_JOB_REQUEST";
  }
  RETURN_IF_ERROR(jobs.Ask(&v1::Jobs::Stub::Create, request, &job, {reason}));
  v1::GetJobRequest get;
  get.set_name("jobs/nobody");
  return jobs.Ask(&v1::Jobs::Stub::Get, get, &job, {"JOB_NOT_FOUND"});
}

}  // namespace

Scenarios JobScenarios() {
  return {{"orders-and-cancels", 6, OrderAndCancel},
          {"follows-a-job", 6, FollowAJob},
          {"works", 6, Work},
          {"dies-at-work", 3, DieAtWork},
          {"leaves-an-upload", 6, LeaveAnUpload},
          {"uploads-wrong", 4, UploadWrong},
          {"orders-wrong", 4, OrderWrong}};
}

}  // namespace ddsp::soak
