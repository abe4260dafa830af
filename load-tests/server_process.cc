#include "load-tests/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::loadtest {
namespace {

constexpr char kAnnouncement[] = "serving on port ";

std::vector<std::string> Arguments(const std::string& program, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {program, "--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0",
                                        "--admin-listen=127.0.0.1:0"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

// In the child: does not return.
[[noreturn]] void Execute(std::vector<std::string> arguments, int log) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv.data());
  std::perror(argv[0]);
  _exit(127);
}

// "127.0.0.1:8002" for the number that follows `words`.
std::string AddressAfter(const std::string& words, const std::string& line) {
  const size_t at = line.find(words);
  return at == std::string::npos ? "" : absl::StrCat("127.0.0.1:", std::atoi(line.c_str() + at + words.size()));
}

}  // namespace

absl::StatusOr<ProcessUsage> UsageOf(pid_t pid) {
  ASSIGN_OR_RETURN(const std::string stat, ReadFile(absl::StrCat("/proc/", pid, "/stat")));
  // The second field, a name in parentheses, may hold spaces; the numbers follow it.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::vector<std::string> field((std::istream_iterator<std::string>(fields)), std::istream_iterator<std::string>());
  constexpr size_t kUserTime = 11, kSystemTime = 12, kResidentPages = 21;
  if (field.size() <= kResidentPages)
    return absl::InternalError(absl::StrCat("cannot read the usage of process ", pid));
  ProcessUsage usage;
  usage.resident_bytes = std::stoll(field[kResidentPages]) * sysconf(_SC_PAGESIZE);
  usage.cpu_seconds = (std::stod(field[kUserTime]) + std::stod(field[kSystemTime])) / sysconf(_SC_CLK_TCK);
  return usage;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const std::string& program,
                                                                    const std::vector<std::string>& flags,
                                                                    const std::string& log_file) {
  int log[2];
  if (pipe2(log, O_CLOEXEC) != 0) return absl::InternalError("no pipe for the server's log");
  std::vector<std::string> arguments = Arguments(program, flags);
  const pid_t pid = fork();
  if (pid == 0) Execute(std::move(arguments), log[1]);
  close(log[1]);
  if (pid < 0) return absl::InternalError("cannot start another process");
  std::unique_ptr<ServerProcess> server(new ServerProcess(pid, log[0]));
  RETURN_IF_ERROR(server->AwaitPorts(log_file));
  return server;
}

absl::Status ServerProcess::AwaitPorts(const std::string& log_file) {
  std::string said;
  char part[256];
  while (true) {
    const ssize_t size = read(log_, part, sizeof part);
    if (size <= 0) return absl::UnavailableError(absl::StrCat("the server did not start: ", said));
    said.append(part, size);
    const size_t at = said.find(kAnnouncement);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) continue;
    const std::string line = said.substr(at);
    address_ = AddressAfter(kAnnouncement, line);
    metrics_address_ = AddressAfter("metrics on ", line);
    admin_address_ = AddressAfter("admin on ", line);
    log_keeper_ = std::thread([this, said, log_file] { KeepLog(said, log_file); });
    return absl::OkStatus();
  }
}

// A log that nobody takes away fills its pipe.
void ServerProcess::KeepLog(std::string said, const std::string& log_file) {
  std::ofstream file;
  if (!log_file.empty()) file.open(log_file);
  file << said << std::flush;
  char part[4096];
  for (ssize_t size; (size = read(log_, part, sizeof part)) > 0;) file.write(part, size) << std::flush;
}

bool ServerProcess::Alive() {
  int status = 0;
  if (!wait_status_.has_value() && waitpid(pid_, &status, WNOHANG) == pid_) wait_status_ = status;
  return !wait_status_.has_value();
}

int ServerProcess::Stop() {
  constexpr std::chrono::seconds kPatience(60);
  if (Alive()) kill(pid_, SIGTERM);
  const auto begin = std::chrono::steady_clock::now();
  for (bool killed = false; Alive(); std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
    if (killed || std::chrono::steady_clock::now() - begin < kPatience) continue;
    killed = kill(pid_, SIGKILL) == 0;
  }
  return WIFEXITED(*wait_status_) ? WEXITSTATUS(*wait_status_) : -WTERMSIG(*wait_status_);
}

ServerProcess::~ServerProcess() {
  Stop();
  if (log_keeper_.joinable()) log_keeper_.join();
  close(log_);
}

}  // namespace ddsp::loadtest
