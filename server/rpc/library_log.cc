#include "server/rpc/library_log.h"

#include <grpc/support/log.h>

#include <memory>
#include <optional>
#include <string>

#include "core/base/mutex.h"
#include "server/logs/rate_limit.h"

namespace ddsp::server {
namespace {

// Of a line, which may repeat a header of kilobytes.
constexpr size_t kLongest = 500;

struct Target {
  Log& log;
  RateLimit limit;
};

Mutex& TargetMutex() {
  static Mutex& mutex = *new Mutex;
  return mutex;
}

// Null: nobody listens. Guarded by TargetMutex().
Target* target = nullptr;

void Take(gpr_log_func_args* said) {
  const MutexLock lock(&TargetMutex());
  if (target == nullptr) return;
  const std::optional<int64_t> held_back = target->limit.Take(said->file);
  if (!held_back.has_value()) return;
  target->log.Write(said->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kWarning : LogLevel::kDebug, "grpc.library",
                    std::string(said->message).substr(0, kLongest),
                    {{"file", std::string(said->file)}, {"line", int64_t{said->line}}, {"held_back", *held_back}});
}

}  // namespace

LibraryLog::LibraryLog(Log& log, const Clock& clock) {
  {
    const MutexLock lock(&TargetMutex());
    target = new Target{log, RateLimit({}, clock)};
  }
  gpr_set_log_function(&Take);
}

LibraryLog::~LibraryLog() {
  gpr_set_log_function(nullptr);
  const MutexLock lock(&TargetMutex());
  delete target;
  target = nullptr;
}

}  // namespace ddsp::server
