#include "tests/server/jobs/desk/desk_fixture.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/jobs/api/job_message.h"

namespace ddsp::testing {

namespace fs = std::filesystem;

absl::Status FakeModels::Load(const std::string& model, int64_t version) {
  loaded.push_back(absl::StrCat(model, "/", version));
  return answer;
}

std::string Upload(server::BlobStore& blobs, const std::string& bytes) {
  const std::string sha256 = Sha256Hex(bytes);
  const auto begun = blobs.BeginUpload(sha256, static_cast<int64_t>(bytes.size()));
  EXPECT_TRUE(begun.ok()) << begun.status();
  if (begun.ok() && !begun->complete) {
    EXPECT_TRUE(blobs.Append(sha256, 0, bytes, Crc32c(bytes)).ok());
  }
  return sha256;
}

void AddFile(server::BlobStore& blobs, const std::string& path, const std::string& bytes, v1::JobResult* result) {
  v1::JobFile* const file = result->add_files();
  file->set_path(path);
  file->set_sha256(Upload(blobs, bytes));
  file->set_size(static_cast<int64_t>(bytes.size()));
}

v1::JobResult UploadVoice(server::BlobStore& blobs, const std::string& folder) {
  v1::JobResult result;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = fs::relative(entry.path(), folder).string();
    AddFile(blobs, "voice/" + path, *ReadFile(entry.path()), &result);
  }
  return result;
}

server::Job TrainJob(const std::string& id, const std::string& model) {
  v1::JobSpec spec;
  spec.mutable_train()->set_recipe("vst");
  spec.mutable_train()->set_model(model);
  server::Job job;
  job.id = id;
  job.kind = "train";
  job.spec = *server::ToJson(spec, "spec");
  job.state = server::JobState::kRunning;
  return job;
}

}  // namespace ddsp::testing
