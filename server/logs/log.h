// What the server tells its operators, line by line on a thread of its own: whoever has something to say leaves it in a
// bounded queue and goes on, whatever becomes of the reader. What finds no room is dropped and counted. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "server/logs/log_line.h"

namespace ddsp::server {

class Log {
 public:
  struct Options {
    LogFormat format = LogFormat::kText;
    // What is less than this is not said.
    LogLevel level = LogLevel::kInfo;
    // That may wait for a slow reader.
    size_t max_lines = 8192;
  };
  // Takes whole lines, each with its line end; false: they are lost. Called by the log's thread alone; may block.
  using Sink = std::function<bool(std::string_view lines)>;

  Log(const Options& options, Sink sink);
  // Writes what waits.
  ~Log();

  bool Wants(LogLevel level) const { return level >= options_.level; }
  // `event` ("session.started") is a constant for programs, `message` is for people.
  void Write(LogLevel level, std::string_view event, std::string message, std::vector<LogField> fields = {});
  // Waits until the sink has all that was written before.
  void Flush();
  // Lines that found no room, or no reader.
  int64_t dropped() const;

 private:
  void Run();

  const Options options_;
  const Sink sink_;
  mutable Mutex mu_;
  CondVar changed_;
  std::vector<LogLine> lines_ ABSL_GUARDED_BY(mu_);
  int64_t dropped_ ABSL_GUARDED_BY(mu_) = 0;
  bool writing_ ABSL_GUARDED_BY(mu_) = false, stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses the rest
};

// Standard error. While `patience` passes without the reader taking anything, lines wait; then they are lost.
Log::Sink StderrSink(absl::Duration patience = absl::Seconds(2));

}  // namespace ddsp::server
