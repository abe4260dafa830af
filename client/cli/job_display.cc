#include "client/cli/job_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/job_text.h"

namespace ddsp::client {
namespace {

constexpr int kBarWidth = 30;

// Columns of the terminal; a line that is longer could not be drawn over.
size_t Columns(std::FILE* out) {
  winsize size = {};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string Bar(const v1::Job& job) {
  const double share = ShareOf(job);
  const std::string filled(static_cast<size_t>(share * kBarWidth), '=');
  return absl::StrFormat("[%-*s] %3.0f %%", kBarWidth, filled, 100 * share);
}

}  // namespace

JobDisplay::JobDisplay(std::FILE* out, std::chrono::milliseconds interval)
    : out_(out), on_terminal_(isatty(fileno(out)) != 0), interval_(interval) {}

JobDisplay::~JobDisplay() {
  if (!drawn_.empty()) std::fputs("\n", out_);
}

void JobDisplay::Show(const v1::Job& job) {
  in_trouble_ = false;
  if (on_terminal_) return Draw(absl::StrCat(Bar(job), " ", Tell(job)));
  const auto now = std::chrono::steady_clock::now();
  const std::string state = absl::StrCat(job.state(), job.cancel_requested(), job.attempts());
  const std::string line = absl::StrCat(job.name(), " ", Tell(job));
  if (state == last_state_ && (now - told_ < interval_ || line == last_line_)) return;
  last_state_ = state;
  last_line_ = line;
  told_ = now;
  Say(line);
}

void JobDisplay::ShowTrouble() {
  if (in_trouble_) return;
  in_trouble_ = true;
  const std::string line = "the server does not answer; trying again";
  on_terminal_ ? Draw(line) : Say(line);
}

void JobDisplay::Say(const std::string& line) {
  const std::string below = drawn_;
  if (on_terminal_) std::fputs("\r\033[K", out_);
  std::fprintf(out_, "%s\n", line.c_str());
  if (!below.empty()) Draw(below);
  std::fflush(out_);
}

void JobDisplay::Draw(const std::string& line) {
  drawn_ = line.substr(0, Columns(out_) - 1);
  std::fprintf(out_, "\r\033[K%s", drawn_.c_str());
  std::fflush(out_);
}

}  // namespace ddsp::client
