#include "client/cli/job_upload.h"

#include <algorithm>
#include <iostream>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/progress_bar.h"
#include "client/sdk/error.h"

namespace ddsp::client {
namespace {

// Files that are skipped by their names; of a folder that is full of other things people need not read more.
constexpr size_t kMostTold = 20;

int64_t TotalBytes(const InputFiles& inputs) {
  return std::accumulate(inputs.files.begin(), inputs.files.end(), int64_t{0},
                         [](int64_t sum, const InputFile& file) { return sum + file.size; });
}

// What the server says of a file, with the file's name; other errors have it, or are of the connection.
absl::Status Named(const std::string& path, const absl::Status& error) {
  if (!DetailsOf(error)) return error;
  absl::Status named(error.code(), absl::StrCat(path, ": ", error.message()));
  error.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { named.SetPayload(url, payload); });
  return named;
}

}  // namespace

void Report(const std::string& what, const InputFiles& inputs) {
  std::cerr << absl::StreamFormat("%d %s, %.1f MB\n", inputs.files.size(), what,
                                  static_cast<double>(TotalBytes(inputs)) / 1e6);
  const size_t told = std::min(inputs.skipped.size(), kMostTold);
  for (size_t i = 0; i < told; ++i) std::cerr << "skipped " << inputs.skipped[i] << "\n";
  if (inputs.skipped.size() > told) std::cerr << "skipped " << inputs.skipped.size() - told << " more\n";
}

absl::StatusOr<google::protobuf::RepeatedPtrField<v1::JobFile>> Upload(const InputFiles& inputs, BlobTransfer& blobs) {
  const double total = std::max<double>(1, static_cast<double>(TotalBytes(inputs)));
  google::protobuf::RepeatedPtrField<v1::JobFile> files;
  ProgressBar bar("uploading");
  double before = 0;
  for (const InputFile& input : inputs.files) {
    const absl::StatusOr<Blob> blob = blobs.UploadFile(
        input.source, [&](int64_t done, int64_t) { bar.Show((before + static_cast<double>(done)) / total); });
    if (!blob.ok()) return Named(input.source, blob.status());
    before += static_cast<double>(blob->size);
    v1::JobFile* const file = files.Add();
    file->set_path(input.path);
    file->set_sha256(blob->sha256);
    file->set_size(blob->size);
  }
  return files;
}

}  // namespace ddsp::client
