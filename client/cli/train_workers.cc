#include "client/cli/train_workers.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

extern char** environ;

namespace ddsp::client {

void AddWorkerOptions(CLI::App& app, WorkerFlags* flags) {
  app.add_option("--workers", flags->workers,
                 "Processes that train together, each with its part of every batch; without --rendezvous all are "
                 "started here")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  CLI::Option* const rendezvous =
      app.add_option("--rendezvous", flags->rendezvous,
                     "HOST:PORT where worker 0 listens for the others: the address by which they reach it");
  app.add_option("--rank", flags->rank, "Which of the workers this is, from 0; 0 writes checkpoints and the voice")
      ->check(CLI::NonNegativeNumber)
      ->needs(rendezvous);
  app.add_option("--worker-timeout", flags->timeout_s, "Seconds after which a silent worker is given up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

LocalWorkers::~LocalWorkers() {
  // They hold nothing: worker 0 writes what there is.
  for (const pid_t process : processes_) kill(process, SIGKILL);
  for (const pid_t process : processes_) waitpid(process, nullptr, 0);
}

absl::Status LocalWorkers::Start(int workers, int port, const std::vector<std::string>& more_arguments) {
  ASSIGN_OR_RETURN(const std::string raw, ReadFile("/proc/self/cmdline"));
  std::vector<std::string> words = absl::StrSplit(absl::StripSuffix(raw, absl::string_view("\0", 1)), '\0');
  words.insert(words.end(), more_arguments.begin(), more_arguments.end());
  words.insert(words.end(), {"--rendezvous", absl::StrCat("127.0.0.1:", port), "--rank", ""});
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  absl::Status status;
  for (int rank = 1; rank < workers && status.ok(); ++rank) {
    words.back() = absl::StrCat(rank);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t process = 0;
    const int error = posix_spawn(&process, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    if (error == 0) {
      processes_.push_back(process);
    } else {
      status = absl::ErrnoToStatus(error, absl::StrCat("cannot start worker ", rank));
    }
  }
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

absl::Status LocalWorkers::Wait() {
  absl::Status status;
  for (const pid_t process : processes_) {
    int ended = 0;
    if (waitpid(process, &ended, 0) == process && ended != 0 && status.ok()) {
      status = absl::UnavailableError(absl::StrCat("a worker of this training failed (process ", process, ")"));
    }
  }
  processes_.clear();
  return status;
}

absl::StatusOr<training::JoinOptions> JoinOptionsOf(const WorkerFlags& flags,
                                                    const std::vector<std::string>& more_arguments,
                                                    LocalWorkers* locals) {
  training::JoinOptions join;
  join.workers = flags.workers;
  join.rank = flags.rank;
  join.timeout = absl::Seconds(flags.timeout_s);
  if (flags.rank >= flags.workers) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rank is ", flags.rank, ", expected 0 to ", flags.workers - 1, " of --workers ", flags.workers));
  }
  if (flags.rendezvous.empty()) {
    join.prepare = [=](int port) { return locals->Start(flags.workers, port, more_arguments); };
    return join;
  }
  const size_t colon = flags.rendezvous.rfind(':');
  join.host = flags.rendezvous.substr(0, colon);
  if (colon == std::string::npos || join.host.empty() ||
      !absl::SimpleAtoi(flags.rendezvous.substr(colon + 1), &join.port) || join.port < 1 || join.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("--rendezvous is '", flags.rendezvous, "', expected HOST:PORT"));
  }
  return join;
}

}  // namespace ddsp::client
