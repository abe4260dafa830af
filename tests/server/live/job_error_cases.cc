#include <sqlite3.h>

#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "ddsp/v1/jobs.pb.h"
#include "tests/server/live/error_cases.h"

namespace ddsp::testing {
namespace {

using grpc::StatusCode;

constexpr char kCreate[] = "/ddsp.v1.Jobs/Create", kBegin[] = "/ddsp.v1.Jobs/BeginUpload",
               kUpload[] = "/ddsp.v1.Jobs/UploadChunk";
constexpr char kBytes[] = "sound";

v1::BeginUploadRequest Announce(int64_t size) {
  v1::BeginUploadRequest request;
  request.set_sha256(Sha256Hex(kBytes));
  request.set_size(size);
  return request;
}

v1::UploadChunkRequest Chunk(int64_t offset, uint32_t crc32c) {
  v1::UploadChunkRequest request;
  request.set_sha256(Sha256Hex(kBytes));
  request.set_offset(offset);
  request.set_data(kBytes);
  request.set_crc32c(crc32c);
  return request;
}

// A job of the name that needs one upload.
v1::CreateJobRequest Order(const std::string& model) {
  v1::CreateJobRequest request;
  request.set_request_id("order");
  v1::TrainSpec& train = *request.mutable_spec()->mutable_train();
  train.set_recipe("vst");
  train.set_model(model);
  v1::JobFile& file = *train.add_data();
  file.set_path("one.wav");
  file.set_sha256(Sha256Hex(kBytes));
  file.set_size(sizeof kBytes - 1);
  return request;
}

void UploadAs(ErrorRig& rig, const RawHttp2::Headers& headers = {}) {
  EXPECT_EQ(rig.Ask(Refuse(kBegin, Announce(sizeof kBytes - 1), headers)).code, StatusCode::OK);
  EXPECT_EQ(rig.Ask(Refuse(kUpload, Chunk(0, Crc32c(kBytes)), headers)).code, StatusCode::OK);
}

// A server with one job that waits; its name.
std::string ServeWithJob(ErrorRig& rig) {
  rig.ServeRepository();
  UploadAs(rig);
  return rig.Ask<v1::Job>(kCreate, Order("my-cello")).name();
}

// Somebody else writes to the database, and does not stop.
std::shared_ptr<sqlite3> LockDatabase(const std::string& path) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  return {database, sqlite3_close_v2};
}

}  // namespace

std::vector<ErrorCase> JobErrors() {
  return {
      {.reason = "JOBS_DISABLED",
       .code = StatusCode::UNIMPLEMENTED,
       .refuse = WhileServing(Refuse("/ddsp.v1.Jobs/List", v1::ListJobsRequest()))},
      {.reason = "JOB_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"job"},
       .refuse = WhileServingARepository(Refuse("/ddsp.v1.Jobs/Get", Naming<v1::GetJobRequest>("jobs/nobody")))},
      {.reason = "INVALID_JOB_REQUEST",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"spec.train.model"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             UploadAs(rig);
             return Refuse(kCreate, Order("violin"));  // the name of a voice that the server was given
           }},
      {.reason = "REQUEST_ID_REUSED",
       .code = StatusCode::ALREADY_EXISTS,
       .values = {"job", "request_id"},
       .refuse =
           [](ErrorRig& rig) {
             ServeWithJob(rig);
             return Refuse(kCreate, Order("my-flute"));
           }},
      {.reason = "LEASE_LOST",
       .code = StatusCode::ABORTED,
       .values = {"job", "lease_id", "state"},
       .refuse =
           [](ErrorRig& rig) {
             auto request = Naming<v1::HeartbeatRequest>(ServeWithJob(rig));
             request.set_lease_id("of-yesterday");
             return Refuse("/ddsp.v1.Jobs/Heartbeat", request);
           }},
      {.reason = "JOB_STORE_UNAVAILABLE",
       .code = StatusCode::UNAVAILABLE,
       .values = {"path"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             UploadAs(rig);
             return Refuse(kCreate, Order("my-cello"), {}, LockDatabase(rig.options.jobs.data_dir + "/jobs.sqlite"));
           }},
      {.reason = "JOB_STORE_FULL",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"max_waiting_jobs"},
       .retry = absl::Minutes(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.options.jobs.max_queued_jobs = 1;
             ServeWithJob(rig);
             v1::CreateJobRequest second = Order("my-flute");
             second.set_request_id("another");
             return Refuse(kCreate, second);
           }},
      {.reason = "JOB_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"limit", "tenant"},
       .quota_subject = "tenant:studio",
       .refuse =
           [](ErrorRig& rig) {
             rig.AskForKeys("max_queued_jobs: 1");
             rig.ServeRepository();
             UploadAs(rig, With("publisher"));
             EXPECT_EQ(rig.Ask(Refuse(kCreate, Order("my-cello"), With("publisher"))).code, StatusCode::OK);
             v1::CreateJobRequest second = Order("my-flute");
             second.set_request_id("another");
             return Refuse(kCreate, second, With("publisher"));
           }},
      {.reason = "BLOB_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"sha256"},
       .refuse = WhileServingARepository(Refuse(kUpload, Chunk(0, 0)))},
      {.reason = "INVALID_BLOB_REQUEST",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"size"},
       .refuse = WhileServingARepository(Refuse(kBegin, Announce(-1)))},
      {.reason = "BLOB_CHECKSUM_MISMATCH",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"expected", "got", "sha256"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             EXPECT_EQ(rig.Ask(Refuse(kBegin, Announce(sizeof kBytes - 1))).code, StatusCode::OK);
             return Refuse(kUpload, Chunk(0, Crc32c(kBytes) + 1));
           }},
      {.reason = "UPLOAD_OFFSET_MISMATCH",
       .code = StatusCode::OUT_OF_RANGE,
       .values = {"expected", "got", "sha256"},
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             EXPECT_EQ(rig.Ask(Refuse(kBegin, Announce(sizeof kBytes - 1))).code, StatusCode::OK);
             return Refuse(kUpload, Chunk(1, 0));
           }},
      {.reason = "BLOB_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"quota", "size", "used"},
       .refuse =
           [](ErrorRig& rig) {
             rig.options.jobs.blob_quota_bytes = 1000;
             rig.ServeRepository();
             return Refuse(kBegin, Announce(1001));
           }},
  };
}

}  // namespace ddsp::testing
