// ddsp-server: loads a repository of voices and serves them until a signal.
#include <pthread.h>
#include <signal.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "server/flags.h"
#include "server/logs/log.h"
#include "server/metrics/build.h"
#include "server/rpc/library_log.h"
#include "server/server.h"

namespace ddsp::server {
namespace {

// Those that end the server. They, and SIGHUP, are taken by the functions below alone: threads that start later inherit
// the mask.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigset_t blocked = signals;
  sigaddset(&blocked, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  return signals;
}

// Returns whether a signal came within `timeout`.
bool WaitForSignal(const sigset_t& signals, absl::Duration timeout) {
  const timespec wait = absl::ToTimespec(timeout);
  return sigtimedwait(&signals, nullptr, timeout == absl::InfiniteDuration() ? nullptr : &wait) > 0;
}

// Until a signal that ends the server; at SIGHUP it reads its keys again.
void ServeUntilSignal(Server& server, sigset_t signals) {
  sigaddset(&signals, SIGHUP);
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) server.ReloadKeys();
}

// Sessions with snapshots go elsewhere; others go on until they end, the time is up, or a second signal comes.
void Drain(Server& server, const sigset_t& signals, const ServerOptions& options) {
  options.log->Write(LogLevel::kInfo, "server.draining",
                     absl::StrCat("draining: ", server.live_sessions(), " sessions"),
                     {{"sessions", int64_t{server.live_sessions()}}});
  server.AnnounceDrain();
  bool hurry = options.drain_delay > absl::ZeroDuration() && WaitForSignal(signals, options.drain_delay);
  server.BeginDrain();
  const Clock& clock = Clock::Steady();
  const absl::Time deadline = clock.Now() + options.session_drain_timeout;
  while (!hurry && server.live_sessions() > 0 && clock.Now() < deadline) {
    hurry = WaitForSignal(signals, absl::Milliseconds(50));
  }
  server.FinishDrain(absl::ZeroDuration());
}

// What the server's parts tell in words of their own.
void Tell(Log& log, absl::string_view line) {
  const LogLevel level = absl::ConsumePrefix(&line, "warning: ") ? LogLevel::kWarning : LogLevel::kInfo;
  log.Write(level, "server.news", std::string(line));
}

absl::Status Serve(const ServerOptions& options, const sigset_t& signals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Server> server, Server::Start(options));
  options.log->Write(LogLevel::kInfo, "server.serving",
                     absl::StrFormat("serving on port %d, metrics on %d, admin on %d, health on %d", server->port(),
                                     server->metrics_port(), server->admin_port(), server->health_port()),
                     {{"version", std::string(Build().version)}, {"commit", std::string(Build().commit)}});
  ServeUntilSignal(*server, signals);
  Drain(*server, signals, options);
  return absl::OkStatus();
}

absl::Status Run(ServerOptions options) {
  const sigset_t signals = BlockSignals();
  options.log = std::make_shared<Log>(options.log_options, StderrSink());
  options.say = [log = options.log](const std::string& line) { Tell(*log, line); };
  const LibraryLog library_log(*options.log, Clock::Steady());
  const absl::Status status = Serve(options, signals);
  if (status.ok()) {
    options.log->Write(LogLevel::kInfo, "server.stopped", "stopped");
  } else {
    options.log->Write(LogLevel::kError, "server.failed", absl::StrCat("ddsp-server: ", status.ToString()));
  }
  return status;
}

}  // namespace
}  // namespace ddsp::server

int main(int argc, char** argv) {
  const ddsp::server::ParsedFlags flags = ddsp::server::ParseFlags(argc, argv);
  if (flags.exit_code.has_value()) return *flags.exit_code;
  // Debian's Abseil looks for deadlocks at every lock, which takes a tenth of the I/O thread; gRPC locks a lot.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Who reads the log may go away.
  signal(SIGPIPE, SIG_IGN);
  return ddsp::server::Run(flags.options).ok() ? ddsp::server::kExitOk : ddsp::server::kExitFailure;
}
