// Blobs, jobs and voices for tests of the desk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job.h"
#include "server/registry/model_control.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {

// Answers as it is told, and remembers what was asked.
class FakeModels : public server::ModelControl {
 public:
  absl::Status Load(const std::string& model, int64_t version) override;
  absl::Status Unload(const std::string&, int64_t) override { return absl::OkStatus(); }
  absl::Status SetAlias(const std::string&, const std::string&, int64_t) override { return absl::OkStatus(); }
  absl::Status DeleteAlias(const std::string&, const std::string&) override { return absl::OkStatus(); }

  absl::Status answer = absl::OkStatus();
  std::vector<std::string> loaded;  // "my-cello/1"
};

// Brings bytes into the store; returns their digest.
std::string Upload(server::BlobStore& blobs, const std::string& bytes);
// Adds a file of a result, uploaded.
void AddFile(server::BlobStore& blobs, const std::string& path, const std::string& bytes, v1::JobResult* result);
// Uploads every file below `folder` as "voice/...".
v1::JobResult UploadVoice(server::BlobStore& blobs, const std::string& folder);

// A running train job that is to make `model`.
server::Job TrainJob(const std::string& id, const std::string& model);

}  // namespace ddsp::testing
