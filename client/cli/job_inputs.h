// The files of a job, found on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::client {

struct InputFile {
  std::string path;    // in the job: relative, parts divided by '/'
  std::string source;  // on this disk
  int64_t size = 0;    // bytes
};

struct InputFiles {
  std::vector<InputFile> files;      // by path
  std::vector<std::string> skipped;  // "notes.txt: no audio", as it was found below a folder
};

enum class InputKind {
  kRecordings,  // whatever libsndfile reads
  kFeatures,    // CSV as `ddsp features` and jobs of that kind write it
};

// Files that are named, and those below folders that are: hidden ones (.x) apart, and what is of another kind is told
// in `skipped`. Paths are relative to the folder that was named; where several were, they begin with its name. Errors
// name the file or folder: NOT_FOUND, PERMISSION_DENIED (for any file), INVALID_ARGUMENT for a named file of another
// kind, for a folder without any of this kind, for two files with one path, for a name that is not UTF-8.
absl::StatusOr<InputFiles> FindInputs(const std::vector<std::string>& named, InputKind kind);

}  // namespace ddsp::client
