// What has become of the files of a batch: checkpoint and report of the jobs that work file by file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

class BatchRecord {
 public:
  // Errors: INVALID_ARGUMENT for a text that Format() did not write.
  static absl::StatusOr<BatchRecord> Parse(const std::string& text);
  // JSON: {"made": [{"input", "path", "sha256", "size"}], "skipped": [{"input", "error"}]}, in the order of the inputs'
  // names.
  std::string Format() const;

  void AddMade(const std::string& input, const v1::JobFile& output) { made_[input] = output; }
  void AddSkipped(const std::string& input, std::string error) { skipped_[input] = std::move(error); }

  bool Has(const std::string& input) const { return made_.count(input) + skipped_.count(input) > 0; }
  int64_t size() const { return static_cast<int64_t>(made_.size() + skipped_.size()); }
  const std::map<std::string, v1::JobFile>& made() const { return made_; }
  const std::map<std::string, std::string>& skipped() const { return skipped_; }

 private:
  std::map<std::string, v1::JobFile> made_;
  std::map<std::string, std::string> skipped_;
};

}  // namespace ddsp::worker
