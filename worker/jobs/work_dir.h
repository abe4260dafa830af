// Where a worker keeps the files of its job.
//
//   <path>/lock               held while somebody sweeps
//   <path>/<random>/lock      held as long as its worker lives
//   <path>/<random>/<job>/    a workspace
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ddsp::worker {

// A folder that vanishes with this object.
class Workspace {
 public:
  explicit Workspace(std::string path) : path_(std::move(path)) {}
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

class WorkDir {
 public:
  // Makes a folder of its own in `path` and removes what killed workers left there: their locks fell with them.
  // Errors: the system's, with the path.
  static absl::StatusOr<std::unique_ptr<WorkDir>> Open(const std::string& path);
  ~WorkDir();
  WorkDir(const WorkDir&) = delete;
  WorkDir& operator=(const WorkDir&) = delete;

  // An empty folder. Errors: the system's; RESOURCE_EXHAUSTED with both numbers where the disk has less than
  // `bytes` left.
  absl::StatusOr<std::unique_ptr<Workspace>> MakeWorkspace(const std::string& job, int64_t bytes) const;
  const std::string& path() const { return path_; }

 private:
  WorkDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  const std::string path_;
  const int lock_;  // file descriptor
};

}  // namespace ddsp::worker
