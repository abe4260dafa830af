#include "load-tests/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
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
                                                                    const std::vector<std::string>& flags) {
  int log[2];
  if (pipe2(log, O_CLOEXEC) != 0) return absl::InternalError("no pipe for the server's log");
  std::vector<std::string> arguments = Arguments(program, flags);
  const pid_t pid = fork();
  if (pid == 0) Execute(std::move(arguments), log[1]);
  close(log[1]);
  if (pid < 0) return absl::InternalError("cannot start another process");
  std::unique_ptr<ServerProcess> server(new ServerProcess(pid, log[0]));
  RETURN_IF_ERROR(server->AwaitPort());
  return server;
}

absl::Status ServerProcess::AwaitPort() {
  std::string said;
  char part[256];
  while (true) {
    const ssize_t size = read(log_, part, sizeof part);
    if (size <= 0) return absl::UnavailableError(absl::StrCat("the server did not start: ", said));
    said.append(part, size);
    const size_t at = said.find(kAnnouncement);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) continue;
    address_ = absl::StrCat("127.0.0.1:", std::stoi(said.substr(at + sizeof kAnnouncement - 1)));
    return absl::OkStatus();
  }
}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
  close(log_);
}

}  // namespace ddsp::loadtest
