// A server with a data directory, workers and a client: real processes, each of which a test may kill at any moment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/sdk/blob_transfer.h"
#include "client/sdk/jobs_client.h"
#include "tests/faults/program.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {

// What the jobs of these tests train and play.
inline constexpr char kTrained[] = "fault-voice", kBundled[] = "test-voice";
// So many of ten seconds keep the fastest machine busy for longer than a heartbeat takes.
inline constexpr int kManyRecordings = 90;

class FaultRig {
 public:
  // `clock_shift`: by how many seconds the server's clock is wrong.
  explicit FaultRig(std::vector<std::string> server_flags = {}, int64_t clock_shift = 0);
  ~FaultRig();

  // Starts the server, again on the same data and the same port where it ran before.
  void StartServer(int64_t clock_shift = 0);
  void KillServer() { server_->Kill(); }
  Program& server() { return *server_; }
  int port() const { return port_; }
  std::string address() const;

  // A worker that saves often and polls often. `address`: another than the server's own, a proxy's.
  std::unique_ptr<Program> StartWorker(std::vector<std::string> flags = {}, const std::string& address = "");
  std::string work_dir() const { return folder_.path() + "/work"; }
  std::string data_dir() const { return folder_.path() + "/data"; }
  std::string log(const std::string& name) const { return folder_.path() + "/" + name + ".log"; }

  client::JobsClient& jobs() { return *jobs_; }
  client::BlobTransfer& blobs() { return *blobs_; }

  // Writes a recording and uploads it.
  v1::JobFile UploadRecording(const std::string& path, double seconds, uint64_t seed);
  v1::JobFile UploadSound(const std::string& path, const std::vector<float>& samples);  // 16 kHz
  v1::JobFile UploadText(const std::string& path, const std::string& text);
  // Pitch and loudness of so many recordings of ten seconds.
  v1::JobSpec FeaturesOf(int recordings);
  // Submits a training of a few steps, and returns its name.
  std::string SubmitTraining(const std::string& request_id = "");
  v1::CreateJobRequest TrainingRequest();
  v1::Job Get(const std::string& name);
  // Waits until the job is done.
  v1::Job Await(const std::string& name);
  // Waits until `condition` holds for the job.
  bool UntilJob(const std::string& name, const std::function<bool(const v1::Job&)>& condition);
  // Waits for the job's first checkpoint; false where the job is over before.
  bool UntilCheckpoint(const std::string& name);
  // A file of the job's result; empty where there is none of that path.
  std::string Download(const v1::Job& job, const std::string& path);
  // Every line of the job's log.
  std::string JobLog(const std::string& name);
  // Versions of the trained voice on the server's disk.
  std::vector<std::string> Published() const;

 private:
  const TempDir folder_, repository_;
  const std::vector<std::string> server_flags_;
  int port_ = 0, programs_ = 0;
  std::unique_ptr<Program> server_;
  std::unique_ptr<client::JobsClient> jobs_;
  std::unique_ptr<client::BlobTransfer> blobs_;
};

// "voice/weights.safetensors <sha256>", ... of a finished training: equal for equal bits.
std::vector<std::string> VoiceFiles(const v1::Job& job);

}  // namespace ddsp::testing
