#include "client/cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/check.h"

namespace ddsp::client {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
constexpr char kCancel = 'c', kEnd = 'e';

volatile sig_atomic_t told = -1;  // the end of the pipe that is written

void Tell(int) {
  const int error = errno;
  if (write(told, &kCancel, 1) < 0) {
    // Nothing can be done here; the pipe has room for thousands.
  }
  errno = error;
}

}  // namespace

Interrupt::Interrupt() {
  DDSP_CHECK(pipe2(pipe_, O_CLOEXEC) == 0, "a pipe can be made");
  told = pipe_[1];
  struct sigaction action = {};
  action.sa_handler = Tell;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
  thread_ = std::thread([this] {
    char what = 0;
    while (true) {
      const ssize_t got = read(pipe_[0], &what, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got != 1 || what == kEnd) return;
      cancellation_.Cancel();
    }
  });
}

Interrupt::~Interrupt() {
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
  while (write(pipe_[1], &kEnd, 1) < 0 && errno == EINTR) {
  }
  thread_.join();
  told = -1;
  close(pipe_[0]);
  close(pipe_[1]);
}

}  // namespace ddsp::client
