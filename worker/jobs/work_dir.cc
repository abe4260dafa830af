#include "worker/jobs/work_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::worker {
namespace {

namespace fs = std::filesystem;

absl::Status SystemError(const std::string& path) {
  return absl::InternalError(absl::StrCat(path, ": ", std::strerror(errno)));
}

enum class Patience { kWait, kTry };

// A file descriptor that holds the lock of `path`; UNAVAILABLE where somebody else has it.
absl::StatusOr<int> Lock(const std::string& path, Patience patience) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return SystemError(path);
  if (flock(file, LOCK_EX | (patience == Patience::kTry ? LOCK_NB : 0)) == 0) return file;
  const absl::Status error = errno == EWOULDBLOCK ? absl::UnavailableError(path) : SystemError(path);
  close(file);
  return error;
}

// Removes the folders of workers that are no more.
void Sweep(const std::string& path) {
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string lock_path = it->path().string() + "/lock";
    if (!it->is_directory() || !fs::exists(lock_path)) continue;
    const absl::StatusOr<int> lock = Lock(lock_path, Patience::kTry);
    if (!lock.ok()) continue;
    std::error_code ignored;
    fs::remove_all(it->path(), ignored);
    close(*lock);
  }
}

}  // namespace

Workspace::~Workspace() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

absl::StatusOr<std::unique_ptr<WorkDir>> WorkDir::Open(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return absl::InternalError(absl::StrCat(path, ": ", error.message()));
  // While this is held every folder in `path` has its lock, if its worker lives.
  ASSIGN_OR_RETURN(const int sweeping, Lock(path + "/lock", Patience::kWait));
  Sweep(path);
  std::string own = path + "/worker-XXXXXX";
  absl::StatusOr<int> lock = mkdtemp(own.data()) == nullptr ? absl::StatusOr<int>(SystemError(path + "/worker-XXXXXX"))
                                                            : Lock(own + "/lock", Patience::kTry);
  close(sweeping);
  if (!lock.ok()) return lock.status();
  return std::unique_ptr<WorkDir>(new WorkDir(own, *lock));
}

WorkDir::~WorkDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  close(lock_);
}

absl::StatusOr<std::unique_ptr<Workspace>> WorkDir::MakeWorkspace(const std::string& job, int64_t bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  if (!error && space.available < static_cast<uintmax_t>(bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the worker's disk has ", space.available, " bytes left; the job needs about ", bytes));
  }
  // Names of jobs are "jobs/train-4f0c": no part of it may lead outside.
  std::string name = job.substr(job.rfind('/') + 1);
  if (name.empty() || name[0] == '.') name = "job";
  const std::string path = path_ + "/" + name;
  fs::remove_all(path, error);
  fs::create_directories(path, error);
  if (error) return absl::InternalError(absl::StrCat(path, ": ", error.message()));
  return std::make_unique<Workspace>(path);
}

}  // namespace ddsp::worker
