// What a server does, once a second. Reads the metrics port: histograms give the latency of the last second, there is
// no load on what plays, and a server of another version, or one that drains, answers too.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/cli/http_get.h"
#include "client/cli/interrupt.h"
#include "client/cli/scrape.h"
#include "client/cli/top_screen.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);

struct TopOptions {
  std::string server;
  double interval = 1;  // seconds
  bool once = false, json = false;
};

int TerminalWidth() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60 ? size.ws_col : 80;
}

absl::StatusOr<Scrape> Look(const std::string& server) {
  absl::StatusOr<std::string> text = HttpGet(server, "/metrics", kTimeout);
  if (!text.ok()) return WithExitCode(text.status(), ExitCode::kNotReached);
  ASSIGN_OR_RETURN(Scrape scrape, Scrape::Parse(*text));
  if (scrape.Has("ddsp_server_state")) return scrape;
  return absl::FailedPreconditionError(server + " is no metrics port of a ddsp-server (--metrics-listen)");
}

void Show(const TopSnapshot& top, const TopOptions& options, bool on_terminal) {
  if (options.json) {
    std::cout << ToJson(top).dump(options.once ? 2 : -1) << "\n";
  } else {
    // Home, and each line to its end, so that nothing flickers; then what is left below.
    std::string text = RenderTop(top, on_terminal ? TopColours::kAnsi : TopColours::kPlain, TerminalWidth());
    if (on_terminal && !options.once) {
      std::string page = "\033[H";
      for (const char c : text) page += c == '\n' ? "\033[K\n" : std::string(1, c);
      text = page + "\033[J";
    }
    std::cout << text;
    if (!on_terminal && !options.once) std::cout << "\n";
  }
  std::cout.flush();
}

absl::Status Top(const TopOptions& options) {
  const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  Interrupt interrupt;
  ASSIGN_OR_RETURN(Scrape before, Look(options.server));
  absl::Time at = absl::Now();
  if (on_terminal && !options.once && !options.json) std::cout << "\033[2J";
  do {
    interrupt.cancellation().SleepFor(absl::Seconds(options.interval));
    if (interrupt.cancellation().cancelled()) return absl::OkStatus();
    ASSIGN_OR_RETURN(Scrape after, Look(options.server));
    const absl::Time now = absl::Now();
    Show(MakeTopSnapshot(options.server, before, after, now - at, now), options, on_terminal);
    before = std::move(after);
    at = now;
  } while (!options.once);
  return absl::OkStatus();
}

}  // namespace

Action DeclareTop(CLI::App& app) {
  auto options = std::make_shared<TopOptions>();
  app.add_option("--server", options->server, "HOST:PORT of a server's metrics (--metrics-listen)")->required();
  app.add_option("--interval", options->interval, "Seconds between two looks")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--once", options->once, "Print what one interval shows, and end");
  app.add_option_function<std::string>(
         "--output", [options](const std::string& form) { options->json = form == "json"; },
         "text for people, json: an object for each look")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  return [options] { return Top(*options); };
}

}  // namespace ddsp::client
