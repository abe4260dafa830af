// A program of ours in a process of its own, to be killed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ddsp::testing {

// Variables and what they are set to.
using Environment = std::map<std::string, std::string>;

class Program {
 public:
  // Starts it with what it says going to the file `log`. SIGXFSZ is ignored, so that a limit on the size of files is an
  // error to the program and not its end.
  Program(const std::vector<std::string>& command, std::string log, const Environment& environment = {});
  // Kills it if it still runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void Signal(int signal) const;
  // SIGKILL, and waits for the end: at that moment nothing of it runs any more.
  void Kill();
  // Waits for the end. The exit code, or minus the signal.
  int Wait();
  bool running();
  // Bytes that a file may have from now on.
  void LimitFileSize(int64_t bytes) const;
  std::string said() const;
  pid_t pid() const { return pid_; }

 private:
  const std::string log_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int code_ = 0;
};

// Looks until `condition` holds. False after three minutes, by when something is broken.
bool Until(const std::function<bool()>& condition);

}  // namespace ddsp::testing
