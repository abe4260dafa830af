// Sessions whose clients go without a word, some of them to come back.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/performance.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"

extern char** environ;

namespace ddsp::soak {
namespace {

// Live, so that hops are under way at any time.
void PlayFor(Visit& visit, RawSession& session, double seconds) {
  for (double played = 0; played < seconds; played += 0.02) {
    if (!session.SendAudio(visit.Music(320))) return;
    Visit::Sleep(0.02);
  }
}

absl::Status CancelInTheMiddle(Visit& visit) {
  RawSession session(visit.Connect());
  session.SendConfig(FloatConfig(visit.Voice()));
  PlayFor(visit, session, visit.OneOf({0.0, 0.02, 1.0}) * visit.Seconds(0, 2.5));
  session.Cancel();
  return Expect(session.End(), {"CANCELLED"});
}

absl::Status LetADeadlinePass(Visit& visit) {
  const double seconds = visit.Real(0.05, 2);
  RawSession session(visit.Connect(), seconds);
  session.SendConfig(FloatConfig(visit.Voice()));
  PlayFor(visit, session, seconds + 0.2);
  return Expect(session.End(), {"DEADLINE_EXCEEDED"});
}

// A process that plays and is killed: nobody says goodbye, not even its network stack's client.
absl::Status Crash(Visit& visit) {
  std::string program = visit.place().own_program, server = "--crash-dummy=" + visit.place().server.target,
              voice = "--voice=" + visit.Voice();
  char* arguments[] = {program.data(), server.data(), voice.data(), nullptr};
  pid_t child = 0;
  if (const int error = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ); error != 0) {
    return absl::UnavailableError(absl::StrCat(program, ": ", strerror(error)));
  }
  Visit::Sleep(visit.Real(0.2, 2.5));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the client that was to be killed had ended with ", WEXITSTATUS(status)));
}

absl::Status ComeBack(Visit& visit) {
  for (int64_t visits = visit.Between(2, 8); visits > 0; --visits) {
    RawSession session(visit.Connect());
    session.Begin(FloatConfig(visit.Voice()));
    PlayFor(visit, session, visit.Real(0, 0.3));
  }
  return Perform(visit, {.options = SomeOptions(visit), .seconds = 1});
}

// Several sessions on one connection that breaks off with all of them.
absl::Status LeaveTogether(Visit& visit) {
  const auto channel = visit.Connect();
  std::vector<std::unique_ptr<RawSession>> sessions;
  for (int64_t left = visit.Between(2, 5); left > 0; --left) {
    sessions.push_back(std::make_unique<RawSession>(channel));
    sessions.back()->SendConfig(FloatConfig(visit.Voice()));
    sessions.back()->SendAudio(visit.Music(visit.Between(1, 4000)));
  }
  Visit::Sleep(visit.Real(0, 0.1));
  for (const auto& session : sessions) session->Cancel();
  for (const auto& session : sessions) RETURN_IF_ERROR(Expect(session->End(), {"CANCELLED"}));
  return absl::OkStatus();
}

// The status is under way while the client goes: both may come first.
absl::Status CancelAtTheEnd(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  session.SendAudio(visit.Music(visit.Between(0, 3200)));
  session.HalfClose();
  Visit::Sleep(visit.Real(0, 0.02));
  session.Cancel();
  return Expect(session.End(), {"CANCELLED", "OK"});
}

}  // namespace

Scenarios LeavingScenarios() {
  return {{"cancels", 40, CancelInTheMiddle},
          {"deadline", 30, LetADeadlinePass},
          {"crashes", 25, Crash},
          {"comes-back", 10, ComeBack},
          {"leave-together", 10, LeaveTogether},
          {"cancels-at-the-end", 15, CancelAtTheEnd}};
}

}  // namespace ddsp::soak
