// Puts trained voices into the repository of the data dir and into service: the last part of a train job.
//
//   <folder>/.staging/<job>/           assembled and tested here
//   <folder>/<model>/<version>/        then renamed; never changed after
//   <folder>/<model>/<version>/JOB     whose voice it is: a job that is published again, after a crash, finds its
//   version
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/blobs/blob_store.h"
#include "server/jobs/api/result_publisher.h"
#include "server/logs/log.h"
#include "server/metrics/job_metrics.h"
#include "server/registry/model_control.h"

namespace ddsp::server {

class VoicePublisher : public ResultPublisher {
 public:
  enum class Step { kAssemble, kVerify, kRename, kServe, kDone };

  struct Options {
    std::string folder;
    // Of one voice.
    int max_files = 64;
    int64_t max_bytes = int64_t{1} << 30;
    Log* log = nullptr;  // null: nothing is said
    // Called before each step; for tests, which leave there.
    std::function<void(Step)> before = [](Step) {};
  };
  // Makes the folder and drops what an earlier process left half done. What is borrowed outlives the publisher.
  // Errors: the system's, with the path.
  static absl::StatusOr<std::unique_ptr<VoicePublisher>> Open(Options options, const BlobStore& blobs,
                                                              ModelControl& models, JobMetrics& metrics);

  // The voice are the files of the result below "voice/", which are those of a bundle (core/models/README.md).
  // Errors for good: INVALID_JOB_REQUEST for files that cannot be a voice's; VOICE_REJECTED for a voice that is
  // damaged, fails its golden test, has another name than the job's, or cannot be loaded. Others: LEASE_LOST,
  // JOB_STORE_FULL for a full disk, the system's.
  absl::StatusOr<v1::JobResult> Publish(const Job& job, const v1::JobResult& result, const RenewLease& renew) override;

 private:
  struct Voice;  // what is being published
  VoicePublisher(Options options, const BlobStore& blobs, ModelControl& models, JobMetrics& metrics)
      : options_(std::move(options)), blobs_(blobs), models_(models), metrics_(metrics) {}

  absl::StatusOr<std::string> PublishVoice(const Job& job, const v1::JobResult& result, const RenewLease& renew);
  absl::StatusOr<int64_t> Put(const Voice& voice, const v1::JobResult& result, const RenewLease& renew);
  absl::Status Assemble(const Voice& voice, const v1::JobResult& result) const;
  absl::StatusOr<int64_t> Rename(const Voice& voice) const;
  absl::Status PutCard(const Voice& voice, int64_t version, const v1::JobResult& result) const;
  absl::Status Serve(const Voice& voice, int64_t version);
  void Say(LogLevel level, std::string_view event, std::string message, std::vector<LogField> fields) const;

  const Options options_;
  const BlobStore& blobs_;
  ModelControl& models_;
  JobMetrics& metrics_;
};

}  // namespace ddsp::server
