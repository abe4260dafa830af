// What gRPC itself costs a server of live streams: processor time of an echo server under paced load, on gRPC's
// callback API and on the server's own Wire, in turn.
//
//   transport_benchmark [STREAMS [SECONDS]]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/transport/echo_servers.h"
#include "benchmarks/transport/paced_echo.h"

namespace ddsp::benchmarks {
namespace {

struct Usage {
  double cpu_seconds = 0;
  int64_t switches = 0;
};

Usage OwnUsage() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return {usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
          usage.ru_nvcsw};
}

// The load in this process, the server in a child, which is told to stop by the end of a pipe.
void Measure(const char* name, const std::function<std::unique_ptr<EchoServer>()>& make, const PacedEcho& options) {
  int to_parent[2], to_child[2];
  if (pipe(to_parent) != 0 || pipe(to_child) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as ddsp-server does
    const std::unique_ptr<EchoServer> server = make();
    const int port = server->port();
    if (write(to_parent[1], &port, sizeof port) != sizeof port) _exit(1);
    char word;
    if (read(to_child[0], &word, 1) != 1) _exit(1);  // the load begins
    const Usage before = OwnUsage();
    if (read(to_child[0], &word, 1) != 1) _exit(1);
    const Usage after = OwnUsage();
    const Usage used{after.cpu_seconds - before.cpu_seconds, after.switches - before.switches};
    _exit(write(to_parent[1], &used, sizeof used) == sizeof used ? 0 : 1);
  }
  int port = 0;
  Usage used;
  if (read(to_parent[0], &port, sizeof port) != sizeof port) std::abort();
  // The client runs in a process of its own as well: gRPC does not survive a fork once it is in use.
  const pid_t client = fork();
  if (client == 0) {
    const auto tell = [&](const char* word) {
      if (write(to_child[1], word, 1) != 1) _exit(1);
    };
    const EchoFigures figures = RunPacedEcho(port, options, [&] { tell("b"); });
    tell("e");
    std::cout << absl::StreamFormat("%-9s %6d %9.0f %8.2f %8.2f", name, options.streams, figures.messages_per_second,
                                    figures.p50_ms, figures.p99_ms)
              << std::flush;
    _exit(0);
  }
  waitpid(client, nullptr, 0);
  if (read(to_parent[0], &used, sizeof used) != sizeof used) std::abort();
  waitpid(child, nullptr, 0);
  std::cout << absl::StreamFormat("%9.3f %10.0f\n", used.cpu_seconds / options.seconds, used.switches / options.seconds)
            << std::flush;
}

}  // namespace
}  // namespace ddsp::benchmarks

int main(int argc, char** argv) {
  using namespace ddsp::benchmarks;
  PacedEcho options;
  if (argc > 1) options.streams = std::atoi(argv[1]);
  if (argc > 2) options.seconds = std::atof(argv[2]);
  if (options.streams < 1 || options.seconds <= 0) {
    std::cerr << "usage: transport_benchmark [STREAMS [SECONDS]]\n";
    return 2;
  }
  std::cout << "server    streams messages/s  p50 ms   p99 ms    cores  switches/s" << std::endl;
  for (int round = 0; round < 2; ++round) {
    Measure("callback", MakeCallbackEcho, options);
    Measure("wire", MakeWireEcho, options);
  }
  return 0;
}
