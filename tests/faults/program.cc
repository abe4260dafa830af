#include "tests/faults/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/base/check.h"
#include "core/base/file.h"

namespace ddsp::testing {
namespace {

[[noreturn]] void Become(const std::vector<std::string>& command, const std::string& log,
                         const Environment& environment) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // no test leaves a process behind
  signal(SIGXFSZ, SIG_IGN);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

int CodeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

}  // namespace

Program::Program(const std::vector<std::string>& command, std::string log, const Environment& environment)
    : log_(std::move(log)) {
  pid_ = fork();
  DDSP_CHECK(pid_ >= 0, "a process can be made");
  if (pid_ == 0) Become(command, log_, environment);
}

Program::~Program() { Kill(); }

void Program::Signal(int signal) const { kill(pid_, signal); }

void Program::Kill() {
  if (!ended_) Signal(SIGKILL);
  Wait();
}

int Program::Wait() {
  if (ended_) return code_;
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  return code_ = CodeOf(status);
}

bool Program::running() {
  int status = 0;
  if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    ended_ = true;
    code_ = CodeOf(status);
  }
  return !ended_;
}

void Program::LimitFileSize(int64_t bytes) const {
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr);
}

std::string Program::said() const { return ReadFile(log_).value_or(""); }

bool Until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // other processes do not notify
  }
  return true;
}

}  // namespace ddsp::testing
