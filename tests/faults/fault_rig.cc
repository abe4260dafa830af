#include "tests/faults/fault_rig.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/sdk/channel.h"
#include "core/base/check.h"
#include "core/base/file.h"
#include "core/base/wav.h"

namespace ddsp::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kSteps = 8;

// The number after `before` in a text; 0 where there is none.
int NumberAfter(const std::string& text, const std::string& before) {
  const size_t at = text.rfind(before);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + before.size());
}

}  // namespace

FaultRig::FaultRig(std::vector<std::string> server_flags, int64_t clock_shift)
    : server_flags_(std::move(server_flags)) {
  WriteTestBundle(repository_.path());
  StartServer(clock_shift);
  client::CallOptions options;
  options.retry.first_pause = absl::Milliseconds(20);
  options.retry.longest_pause = absl::Milliseconds(500);
  options.retry.give_up_unmet_after = absl::Minutes(5);
  const auto channel = client::MakeJobsChannel(address());
  jobs_ = std::make_unique<client::JobsClient>(channel, options);
  blobs_ = std::make_unique<client::BlobTransfer>(channel, options);
}

FaultRig::~FaultRig() = default;

std::string FaultRig::address() const { return absl::StrCat("127.0.0.1:", port_); }

void FaultRig::StartServer(int64_t clock_shift) {
  std::vector<std::string> command = {DDSP_SERVER_PROGRAM,
                                      "--listen=" + address(),
                                      "--metrics-listen",
                                      "",
                                      "--admin-listen",
                                      "",
                                      "--model-repository=" + repository_.path(),
                                      "--data-dir=" + data_dir(),
                                      "--max-sessions=4",
                                      "--threads=1"};
  command.insert(command.end(), server_flags_.begin(), server_flags_.end());
  const std::string log_path = log(absl::StrCat("server", ++programs_));
  Environment environment;
  if (clock_shift != 0) {
    environment = {{"LD_PRELOAD", DDSP_SHIFTED_CLOCK}, {"DDSP_CLOCK_SHIFT", absl::StrCat(clock_shift)}};
  }
  server_ = std::make_unique<Program>(command, log_path, environment);
  DDSP_CHECK(Until([&] { return NumberAfter(server_->said(), "serving on port ") > 0 || !server_->running(); }),
             "the server starts or ends");
  port_ = NumberAfter(server_->said(), "serving on port ");
  if (port_ == 0) std::fprintf(stderr, "%s", server_->said().c_str());
  DDSP_CHECK(port_ > 0, "the server serves");
}

std::unique_ptr<Program> FaultRig::StartWorker(std::vector<std::string> flags, const std::string& address) {
  const std::string name = absl::StrCat("worker", ++programs_);
  std::vector<std::string> command = {DDSP_WORKER_PROGRAM, "--server=" + (address.empty() ? this->address() : address),
                                      "--name=" + name, "--work-dir=" + work_dir(), "--poll-seconds=0.1"};
  const bool saves = std::any_of(flags.begin(), flags.end(), [](const std::string& flag) {
    return absl::StartsWith(flag, "--checkpoint-seconds");
  });
  if (!saves) command.push_back("--checkpoint-seconds=0.05");
  command.insert(command.end(), flags.begin(), flags.end());
  return std::make_unique<Program>(command, log(name));
}

v1::JobFile FaultRig::UploadRecording(const std::string& path, double seconds, uint64_t seed) {
  return UploadSound(path, TestMelody(static_cast<int64_t>(16000 * seconds), 16000, seed));
}

v1::JobFile FaultRig::UploadSound(const std::string& path, const std::vector<float>& samples) {
  const std::string file = folder_.path() + "/recording.wav";
  DDSP_CHECK(WriteWav(file, {16000, 1, samples}, WavEncoding::kPcm16).ok(), "the disk takes a recording");
  return UploadText(path, ReadFile(file).value());
}

v1::JobFile FaultRig::UploadText(const std::string& path, const std::string& text) {
  const std::string file = folder_.path() + "/upload";
  DDSP_CHECK(WriteFileAtomically(file, text).ok(), "the disk takes a file");
  const client::Blob blob = blobs_->UploadFile(file).value();
  v1::JobFile uploaded;
  uploaded.set_path(path);
  uploaded.set_sha256(blob.sha256);
  uploaded.set_size(blob.size);
  return uploaded;
}

v1::CreateJobRequest FaultRig::TrainingRequest() {
  v1::CreateJobRequest request;
  v1::TrainSpec& train = *request.mutable_spec()->mutable_train();
  *train.add_data() = UploadRecording("one.wav", 20, 1);
  *train.add_data() = UploadRecording("folder/two.wav", 16, 2);
  train.set_recipe("vst");
  train.set_model(kTrained);
  train.set_steps(kSteps);
  train.set_seed(5);
  train.add_overrides("train.batch_size = 2");
  train.add_overrides("train.held_out_steps = 4");
  train.add_overrides("train.log_steps = 1");
  return request;
}

v1::JobSpec FaultRig::FeaturesOf(int recordings) {
  v1::JobSpec spec;
  for (int i = 0; i < recordings; ++i) {
    *spec.mutable_features()->add_inputs() = UploadRecording(absl::StrCat(i, ".wav"), 10, static_cast<uint64_t>(i));
  }
  return spec;
}

std::string FaultRig::SubmitTraining(const std::string& request_id) {
  v1::CreateJobRequest request = TrainingRequest();
  request.set_request_id(request_id);
  return jobs_->Create(request).value().name();
}

v1::Job FaultRig::Get(const std::string& name) { return jobs_->Get(name).value(); }

v1::Job FaultRig::Await(const std::string& name) {
  v1::Job job;
  UntilJob(name, [&](const v1::Job& now) {
    job = now;
    return now.done();
  });
  return job;
}

bool FaultRig::UntilJob(const std::string& name, const std::function<bool(const v1::Job&)>& condition) {
  return Until([&] { return condition(Get(name)); });
}

bool FaultRig::UntilCheckpoint(const std::string& name) {
  v1::Job job;
  UntilJob(name, [&](const v1::Job& now) {
    job = now;
    return job.done() || job.checkpoint().step() > 0;
  });
  return !job.done() && job.checkpoint().step() > 0;
}

std::string FaultRig::Download(const v1::Job& job, const std::string& path) {
  for (const v1::JobFile& file : job.result().files()) {
    const std::string target = log("download");
    if (file.path() == path && blobs_->Download(file.sha256(), target).ok()) return ReadFile(target).value();
  }
  return "";
}

std::string FaultRig::JobLog(const std::string& name) {
  std::string text;
  const std::vector<v1::LogLine> lines = jobs_->ListLogLines(name, 0).value();
  for (const v1::LogLine& line : lines) absl::StrAppend(&text, line.text(), "\n");
  return text;
}

std::vector<std::string> FaultRig::Published() const {
  std::vector<std::string> versions;
  std::error_code error;
  for (fs::directory_iterator it(absl::StrCat(data_dir(), "/models/", kTrained), error), end; !error && it != end;
       it.increment(error)) {
    int64_t version = 0;
    if (absl::SimpleAtoi(it->path().filename().string(), &version)) versions.push_back(absl::StrCat(version));
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

std::vector<std::string> VoiceFiles(const v1::Job& job) {
  std::vector<std::string> files;
  for (const v1::JobFile& file : job.result().files()) {
    if (absl::StartsWith(file.path(), "voice/")) files.push_back(absl::StrCat(file.path(), " ", file.sha256()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ddsp::testing
