#include "client/cli/training_progress.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace ddsp::client {
namespace {

using training::TrainingProgress;

std::atomic<bool> interrupted = false;
void Interrupt(int) { interrupted = true; }

// Hours, minutes and seconds left, as h:mm:ss.
std::string TimeLeft(double seconds) {
  const int64_t s = static_cast<int64_t>(seconds);
  return absl::StrFormat("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

void Show(const TrainingProgress& progress) {
  static const bool on_terminal = isatty(STDERR_FILENO) != 0;
  const bool last = progress.step == progress.steps;
  if (!on_terminal && progress.step % 100 != 0 && !last && !interrupted) return;
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(kWidth * progress.step / std::max<int64_t>(1, progress.steps));
  const std::string held_out =
      progress.held_out_loss > 0 ? absl::StrFormat(", held out %.3f", progress.held_out_loss) : "";
  const std::string text =
      absl::StrFormat("step %d of %d, loss %.3f%s, %.2f s a step, %s left", progress.step, progress.steps,
                      progress.loss, held_out, progress.seconds_per_step,
                      TimeLeft(progress.seconds_per_step * static_cast<double>(progress.steps - progress.step)));
  if (on_terminal) {
    std::cerr << "\r\033[K[" << std::string(filled, '=') << std::string(kWidth - filled, ' ') << "] " << text
              << std::flush;
    if (last) std::cerr << "\n";
  } else {
    std::cerr << text << std::endl;
  }
}

}  // namespace

void StopTrainingOnSignals() {
  std::signal(SIGINT, Interrupt);
  std::signal(SIGTERM, Interrupt);
}

training::TrainerVerdict ShowProgress(const TrainingProgress& progress) {
  Show(progress);
  return HeedSignals(progress);
}

training::TrainerVerdict HeedSignals(const TrainingProgress&) {
  return interrupted ? training::TrainerVerdict::kStop : training::TrainerVerdict::kContinue;
}

bool WaitForProgress() {
  for (int tenths = 0; tenths < 50 && !interrupted; ++tenths) absl::SleepFor(absl::Milliseconds(100));
  return !interrupted;
}

}  // namespace ddsp::client
