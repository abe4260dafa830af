#include "server/logs/log.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"

namespace ddsp::server {
namespace {

// What a pipe takes without blocking when it says that it is ready.
constexpr size_t kPiece = 4096;

// False: nobody took anything for `patience`.
bool WritePatiently(int file, std::string_view text, absl::Duration patience) {
  while (!text.empty()) {
    pollfd ready{.fd = file, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) <= 0) return false;
    const ssize_t written = ::write(file, text.data(), std::min(text.size(), kPiece));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Log::Log(const Options& options, Sink sink) : options_(options), sink_(std::move(sink)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "ddsp-log");
}

Log::~Log() {
  {
    const MutexLock lock(&mu_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void Log::Write(LogLevel level, std::string_view event, std::string message, std::vector<LogField> fields) {
  if (!Wants(level)) return;
  LogLine line{
      .time = absl::Now(), .level = level, .event = event, .message = std::move(message), .fields = std::move(fields)};
  const MutexLock lock(&mu_);
  if (lines_.size() >= options_.max_lines) {
    ++dropped_;
    return;
  }
  lines_.push_back(std::move(line));
  if (lines_.size() == 1) changed_.NotifyAll();
}

void Log::Flush() {
  const MutexLock lock(&mu_);
  while (!lines_.empty() || writing_) changed_.Wait(&mu_);
}

int64_t Log::dropped() const {
  const MutexLock lock(&mu_);
  return dropped_;
}

void Log::Run() {
  std::vector<LogLine> taken;
  for (;;) {
    {
      const MutexLock lock(&mu_);
      writing_ = false;
      if (lines_.empty()) changed_.NotifyAll();
      while (lines_.empty() && !stopped_) changed_.Wait(&mu_);
      if (lines_.empty()) return;
      taken.swap(lines_);
      writing_ = true;
    }
    std::string text;
    for (const LogLine& line : taken) {
      text += options_.format == LogFormat::kJson ? AsJson(line) : AsText(line);
      text += '\n';
    }
    const bool lost = !sink_(text);
    const MutexLock lock(&mu_);
    if (lost) dropped_ += static_cast<int64_t>(taken.size());
    taken.clear();
  }
}

Log::Sink StderrSink(absl::Duration patience) {
  return [patience, deaf = false](std::string_view lines) mutable {
    // A reader that was given up once is asked again, but not waited for.
    deaf = !WritePatiently(STDERR_FILENO, lines, deaf ? absl::ZeroDuration() : patience);
    return !deaf;
  };
}

}  // namespace ddsp::server
