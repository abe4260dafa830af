// Which files of a job's result are its voice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::server {

// Says in a version's directory which job made it; no bundle may have such a file of its own.
inline constexpr char kJobFile[] = "JOB";

struct VoiceFile {
  std::string path;  // in the version's directory
  std::string sha256;
};

struct VoiceFileLimits {
  int max_files = 64;
  int64_t max_bytes = int64_t{1} << 30;  // together
};

// Those below "voice/". Errors: INVALID_JOB_REQUEST that names the path or the size: no manifest among them, a path
// that leaves the directory, is hidden or is JOB, too many or too large.
absl::StatusOr<std::vector<VoiceFile>> VoiceFilesOf(const v1::JobResult& result, const VoiceFileLimits& limits);

}  // namespace ddsp::server
