// Training as a service over real connections: a client, a worker that a script plays, and servers that come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/streaming/voice_loader.h"
#include "ddsp/v1/jobs.grpc.pb.h"
#include "tests/server/live/live_server.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

// What a call came to: the error's reason, "" for OK.
std::string ReasonOf(const grpc::Status& status) {
  if (status.ok()) return "";
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  google::rpc::ErrorInfo info;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return absl::StrCat("no reason: ", status.error_code(), " ", status.error_message());
}

class JobsTest : public ::testing::Test {
 protected:
  JobsTest() {
    WriteTestBundle(bundled_.path(), {.name = "violin"});
    options_ = LocalOptions(4);
    options_.model_repository = options_.jobs.bundled_repository = bundled_.path();
    options_.jobs.data_dir = directory_.path() + "/data";
  }
  void Serve() {
    stub_.reset();
    server_.reset();
    auto server = Server::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::Jobs::NewStub(ChannelTo(server_->port()));
  }

  // Calls a method; the response where there is one.
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::Jobs::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (*stub_.*method)(&context, request, response);
  }

  std::string Upload(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    v1::BeginUploadRequest begin;
    begin.set_sha256(sha256);
    begin.set_size(static_cast<int64_t>(bytes.size()));
    v1::UploadStatus status;
    EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::BeginUpload, begin, &status)), "");
    while (!status.complete()) {
      v1::UploadChunkRequest chunk;
      chunk.set_sha256(sha256);
      chunk.set_offset(status.offset());
      chunk.set_data(bytes.substr(status.offset(), 1 << 20));
      chunk.set_crc32c(Crc32c(chunk.data()));
      const grpc::Status sent = Call(&v1::Jobs::Stub::UploadChunk, chunk, &status);
      EXPECT_EQ(ReasonOf(sent), "");
      if (!sent.ok()) break;
    }
    return sha256;
  }
  void AddFile(const std::string& path, const std::string& bytes, v1::JobFile* file) {
    file->set_path(path);
    file->set_sha256(Upload(bytes));
    file->set_size(static_cast<int64_t>(bytes.size()));
  }

  v1::CreateJobRequest TrainRequest(const std::string& model = "my-cello") {
    v1::CreateJobRequest request;
    request.set_request_id("order-" + model);
    v1::TrainSpec* const train = request.mutable_spec()->mutable_train();
    train->set_recipe("vst");
    train->set_model(model);
    AddFile("one.wav", "sound", train->add_data());
    return request;
  }
  v1::Job Create(const v1::CreateJobRequest& request) {
    v1::Job job;
    EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Create, request, &job)), "");
    return job;
  }
  v1::Job Get(const std::string& name) {
    v1::GetJobRequest request;
    request.set_name(name);
    v1::Job job;
    EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Get, request, &job)), "");
    return job;
  }
  v1::LeasedJob Claim() {
    v1::ClaimJobsRequest request;
    request.set_worker("worker:1");
    request.add_kinds("train");
    v1::ClaimJobsResponse response;
    EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Claim, request, &response)), "");
    return response.jobs_size() == 1 ? response.jobs(0) : v1::LeasedJob();
  }
  std::string Heartbeat(const v1::LeasedJob& leased, int64_t step) {
    v1::HeartbeatRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    request.mutable_progress()->set_done(step);
    request.mutable_progress()->set_total(100);
    request.mutable_checkpoint()->set_step(step);
    request.mutable_checkpoint()->set_sha256(Upload(absl::StrCat("weights at ", step)));
    request.add_log_lines(absl::StrCat("step ", step));
    v1::HeartbeatResponse response;
    return ReasonOf(Call(&v1::Jobs::Stub::Heartbeat, request, &response));
  }
  // A voice's files, uploaded.
  v1::CompleteJobRequest Completion(const v1::LeasedJob& leased, const std::string& folder) {
    v1::CompleteJobRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      AddFile("voice/" + fs::relative(entry.path(), folder).string(), *ReadFile(entry.path()),
              request.mutable_result()->add_files());
    }
    (*request.mutable_result()->mutable_metrics())["loudness_l1_db"] = 1.5;
    return request;
  }
  std::string MakeVoice(const std::string& name, uint64_t seed = 7) {
    return WriteTestBundle(directory_.path() + "/made", {.name = name, .seed = seed});
  }
  std::string Complete(const v1::CompleteJobRequest& request, v1::Job* job) {
    return ReasonOf(Call(&v1::Jobs::Stub::Complete, request, job));
  }

  std::vector<float> Play(const std::string& model, const std::vector<float>& melody) {
    const auto synthesis = v1::Synthesis::NewStub(ChannelTo(server_->port()));
    return StreamThrough(*synthesis, FloatConfig(model), melody, 1000);
  }
  size_t VersionsOf(const std::string& model) const {
    size_t versions = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(options_.jobs.models_folder() + "/" + model, error)) {
      versions += entry.is_directory();
    }
    return versions;
  }

  TempDir directory_, bundled_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::Jobs::Stub> stub_;
};

// The story of a job, with a new server for each of its chapters.
TEST_F(JobsTest, ATrainedVoicePlaysAndOutlivesItsServers) {
  Serve();
  const v1::Job job = Create(TrainRequest());
  const v1::LeasedJob leased = Claim();
  EXPECT_EQ(leased.job().name(), job.name());
  EXPECT_EQ(Heartbeat(leased, 10), "");
  Serve();
  EXPECT_EQ(Create(TrainRequest()).name(), job.name()) << "the client asks again";
  EXPECT_EQ(Heartbeat(leased, 20), "") << "the lease outlives the server";
  EXPECT_EQ(Get(job.name()).checkpoint().step(), 20);
  const std::string made = MakeVoice("my-cello");
  const v1::CompleteJobRequest completion = Completion(leased, made);
  v1::Job done;
  ASSERT_EQ(Complete(completion, &done), "");
  EXPECT_EQ(done.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(done.result().model(), "my-cello/1");
  const std::vector<float> melody = TestMelody(8000);
  const std::vector<float> expected = *RenderGolden(*LoadVoice(made), melody, /*seed=*/0);
  EXPECT_EQ(Play("my-cello", melody), expected);
  Serve();
  EXPECT_EQ(Play("my-cello/1", melody), expected);
  v1::Job again;
  EXPECT_EQ(Complete(completion, &again), "") << "the worker's answer was lost";
  EXPECT_EQ(again.SerializeAsString(), done.SerializeAsString());
  EXPECT_EQ(Get(job.name()).SerializeAsString(), done.SerializeAsString());
  EXPECT_EQ(VersionsOf("my-cello"), 1u);
}

// Who reads the log alone knows what became of every job.
TEST_F(JobsTest, TheLogTellsTheStoryToo) {
  const auto text = std::make_shared<std::string>();
  options_.log = std::make_shared<Log>(Log::Options{.format = LogFormat::kJson}, [text](std::string_view lines) {
    *text += lines;
    return true;
  });
  Serve();
  const v1::Job job = Create(TrainRequest());
  const v1::LeasedJob leased = Claim();
  EXPECT_EQ(Heartbeat(leased, 10), "");
  v1::Job done;
  ASSERT_EQ(Complete(Completion(leased, MakeVoice("my-cello")), &done), "");
  options_.log->Flush();
  std::vector<std::string> events;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const nlohmann::json told = nlohmann::json::parse(line);
    const std::string event = told["event"];
    if (!absl::StartsWith(event, "job.")) continue;
    events.push_back(event);
    EXPECT_EQ(absl::StrCat("jobs/", told["job"].get<std::string>()), job.name());
    EXPECT_EQ(told["kind"], "train");
  }
  EXPECT_THAT(events, ::testing::ElementsAre("job.created", "job.claimed", "job.published", "job.succeeded"));
}

TEST_F(JobsTest, TwoCompletionsAtOnceGiveOneVersion) {
  Serve();
  Create(TrainRequest());
  const v1::CompleteJobRequest completion = Completion(Claim(), MakeVoice("my-cello"));
  v1::Job first, second;
  auto other = std::async(std::launch::async, [&] { return Complete(completion, &second); });
  EXPECT_EQ(Complete(completion, &first), "");
  EXPECT_EQ(other.get(), "");
  EXPECT_EQ(first.result().model(), "my-cello/1");
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(VersionsOf("my-cello"), 1u);
}

TEST_F(JobsTest, TheNextVoiceOfAModelIsItsNextVersion) {
  Serve();
  for (int version = 1; version <= 2; ++version) {
    v1::CreateJobRequest request = TrainRequest();
    request.set_request_id(absl::StrCat("order-", version));
    Create(request);
    const std::string made = MakeVoice("my-cello", version);
    v1::Job done;
    ASSERT_EQ(Complete(Completion(Claim(), made), &done), "");
    EXPECT_EQ(done.result().model(), absl::StrCat("my-cello/", version));
    const std::vector<float> melody = TestMelody(3200);
    EXPECT_EQ(Play("my-cello", melody), *RenderGolden(*LoadVoice(made), melody, /*seed=*/0));
    fs::remove_all(directory_.path() + "/made");
  }
}

TEST_F(JobsTest, AVoiceThatFailsItsGoldenTestFailsItsJob) {
  Serve();
  const v1::Job job = Create(TrainRequest());
  Voice voice = *MakeGoldenVoice({.name = "my-cello"});
  voice.golden.output[500] += 0.1f;
  ASSERT_TRUE(WriteBundle(directory_.path() + "/wrong/1", voice, WeightStorage::kFloat32).ok());
  v1::Job failed;
  EXPECT_EQ(Complete(Completion(Claim(), directory_.path() + "/wrong/1"), &failed), "");
  EXPECT_EQ(failed.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(failed.error(), HasSubstr("golden audio differs"));
  EXPECT_EQ(VersionsOf("my-cello"), 0u);
  EXPECT_TRUE(Play("my-cello", TestMelody(320)).empty());
}

TEST_F(JobsTest, ASilentWorkerLosesItsJobAndPublishesNothing) {
  options_.jobs.policy.lease = absl::Milliseconds(100);
  options_.jobs.policy.heartbeat = absl::Milliseconds(20);
  Serve();
  const v1::Job job = Create(TrainRequest());
  const v1::LeasedJob leased = Claim();
  v1::WatchJobRequest watch;
  watch.set_name(job.name());
  grpc::ClientContext context;
  const auto changes = stub_->Watch(&context, watch);
  v1::Job seen;
  while (changes->Read(&seen) && seen.state() != v1::JOB_STATE_RETRYABLE) continue;
  EXPECT_THAT(seen.error(), HasSubstr("worker:1 was not heard of"));
  context.TryCancel();
  changes->Finish();
  v1::Job ignored;
  EXPECT_EQ(Heartbeat(leased, 10), "LEASE_LOST");
  EXPECT_EQ(Complete(Completion(leased, MakeVoice("my-cello")), &ignored), "LEASE_LOST");
  EXPECT_EQ(VersionsOf("my-cello"), 0u);
  EXPECT_THAT(server_->MetricsText(), HasSubstr("ddsp_job_lease_expirations_total 1"));
}

TEST_F(JobsTest, RefusalsAreTyped) {
  options_.jobs.max_queued_jobs = 1;
  options_.jobs.blob_quota_bytes = 10'000'000;
  Serve();
  v1::Job job;
  EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Create, TrainRequest("violin"), &job)), "INVALID_JOB_REQUEST");
  v1::CreateJobRequest transfer;
  AddFile("a.wav", "sound", transfer.mutable_spec()->mutable_transfer()->add_inputs());
  transfer.mutable_spec()->mutable_transfer()->set_model("nobody");
  EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Create, transfer, &job)), "MODEL_NOT_FOUND");
  v1::BeginUploadRequest large;
  large.set_sha256(std::string(64, 'a'));
  large.set_size(10'000'000);
  v1::UploadStatus status;
  EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::BeginUpload, large, &status)), "BLOB_QUOTA_EXCEEDED");
  Create(TrainRequest("first"));
  EXPECT_EQ(ReasonOf(Call(&v1::Jobs::Stub::Create, TrainRequest("second"), &job)), "JOB_STORE_FULL");
  EXPECT_EQ(Create(TrainRequest("first")).state(), v1::JOB_STATE_QUEUED) << "there already";
  v1::CompleteJobRequest escape = Completion(Claim(), MakeVoice("first"));
  AddFile("voice/../../escape", "x", escape.mutable_result()->add_files());
  EXPECT_EQ(Complete(escape, &job), "INVALID_JOB_REQUEST");
}

TEST_F(JobsTest, AServerWithoutADataDirSaysSo) {
  options_.jobs.data_dir = "";
  Serve();
  v1::ListJobsResponse list;
  const grpc::Status refused = Call(&v1::Jobs::Stub::List, v1::ListJobsRequest(), &list);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(ReasonOf(refused), "JOBS_DISABLED");
  EXPECT_THAT(refused.error_message(), HasSubstr("--data-dir"));
  grpc::ClientContext context;
  EXPECT_EQ(ReasonOf(stub_->Watch(&context, v1::WatchJobRequest())->Finish()), "JOBS_DISABLED");
}

TEST_F(JobsTest, TwoServersDoNotShareADataDir) {
  Serve();
  const absl::Status refused = Server::Start(options_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--data-dir '" + options_.jobs.data_dir + "'"));
}

}  // namespace
}  // namespace ddsp::server
