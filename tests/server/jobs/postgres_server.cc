#include "tests/server/jobs/postgres_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <pqxx/pqxx>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

// Whom PostgreSQL may run as: root must not.
const passwd* Owner() {
  if (geteuid() != 0) return getpwuid(geteuid());
  const passwd* const own = getpwnam("postgres");
  return own != nullptr ? own : getpwnam("nobody");
}

// Starts a program as the owner; what it says goes to `output`. It dies with the thread that started it.
pid_t Spawn(const std::vector<std::string>& command, uid_t user, gid_t group, int output) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const bool dropped = geteuid() != 0 || (setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0);
  if (!dropped || chdir("/") != 0) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

}  // namespace

std::string PostgresServer::FindPrograms() {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
  }
  return found.empty() ? "" : *std::max_element(found.begin(), found.end());
}

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Start(Flush flush) {
  const std::string programs = FindPrograms();
  if (programs.empty()) return absl::NotFoundError("PostgreSQL is not installed");
  // Below /tmp, for the path of a socket is short.
  std::string folder = "/tmp/ddsp_postgres_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return absl::InternalError("no temporary folder");
  const passwd* const owner = Owner();
  if (chown(folder.c_str(), owner->pw_uid, owner->pw_gid) != 0) return absl::InternalError("chown " + folder);
  std::unique_ptr<PostgresServer> server(new PostgresServer(programs, folder, flush));
  const int log = open(absl::StrCat(folder, "/initdb.log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const pid_t pid = Spawn({programs + "/initdb", "-D", folder + "/data", "-A", "trust", "-U", "ddsp", "-E", "UTF8",
                           "--locale=C", "--no-sync"},
                          owner->pw_uid, owner->pw_gid, log);
  close(log);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) return absl::InternalError(absl::StrCat("initdb failed: see ", folder, "/initdb.log"));
  RETURN_IF_ERROR(server->Launch());
  return server;
}

PostgresServer::PostgresServer(std::string programs, std::string folder, Flush flush)
    : programs_(std::move(programs)), folder_(std::move(folder)), flush_(flush) {}

PostgresServer::~PostgresServer() {
  Stop(SIGINT);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

absl::Status PostgresServer::Launch() {
  int log[2];
  if (pipe2(log, O_CLOEXEC) != 0) return absl::InternalError("no pipe");
  const passwd* const owner = Owner();
  pid_ = Spawn({programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses=", "-c",
                "max_connections=40", "-c", flush_ == Flush::kNever ? "fsync=off" : "fsync=on"},
               owner->pw_uid, owner->pw_gid, log[1]);
  close(log[1]);
  std::promise<bool> ready;
  std::future<bool> said = ready.get_future();
  // Without a FILE: whoever flushes all of them would wait for the next line.
  log_reader_ = std::thread([from = log[0], ready = std::move(ready)]() mutable {
    bool told = false;
    std::string said;
    char part[1024];
    for (ssize_t size; (size = read(from, part, sizeof part)) > 0;) {
      if (told) continue;
      said.append(part, size);
      told = said.find("ready to accept connections") != std::string::npos;
      if (told) ready.set_value(true);
    }
    if (!told) ready.set_value(false);
    close(from);
  });
  return said.get() ? absl::OkStatus() : absl::InternalError("postgres ended before it was ready");
}

void PostgresServer::Stop(int signal) {
  if (pid_ < 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  log_reader_.join();
  pid_ = -1;
}

absl::Status PostgresServer::Restart() {
  Stop(SIGQUIT);
  return Launch();
}

std::string PostgresServer::NewDatabase() {
  const std::string name = absl::StrCat("test_", ++databases_);
  const auto at = [&](const std::string& database) {
    return absl::StrCat("postgresql:///", database, "?host=", folder_, "&user=ddsp");
  };
  pqxx::connection connection(at("postgres"));
  pqxx::nontransaction(connection).exec("CREATE DATABASE " + name);
  return at(name);
}

}  // namespace ddsp::server
