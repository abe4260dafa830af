#include "client/cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ddsp::client {
namespace {

constexpr int kWidth = 40;

}  // namespace

ProgressBar::ProgressBar(std::string title) : title_(std::move(title)), on_terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (on_terminal_) std::fprintf(stderr, "\r\033[K");
}

void ProgressBar::Show(double done) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  done = std::clamp(done, 0.0, 1.0);
  const std::string bar(static_cast<size_t>(done * kWidth), '=');
  std::fprintf(stderr, "\r\033[K%s [%-*s] %3.0f %%", title_.c_str(), kWidth, bar.c_str(), 100 * done);
}

}  // namespace ddsp::client
