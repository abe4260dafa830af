#include "load-tests/soak/soak_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/pacing/quantiles.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/audience.h"
#include "load-tests/soak/soak_report.h"
#include "load-tests/soak/stage.h"

namespace ddsp::soak {
namespace {

using Clock = std::chrono::steady_clock;

// For what is under way when the last client has gone.
constexpr std::chrono::seconds kSettling(20);

class SoakRun {
 public:
  SoakRun(const SoakOptions& options, Stage& stage)
      : options_(options),
        server_(stage.server()),
        place_{.server = server_.address(),
               .admin = server_.admin_address(),
               .metrics = server_.metrics_address(),
               .own_program = options.own_program,
               .voices = stage.voices(),
               .recording = options.recording,
               .tempo = options.tempo} {}

  absl::StatusOr<SoakReport> Play() {
    ASSIGN_OR_RETURN(const Ledger before, LedgerOfIdleServer());
    begin_ = Clock::now();
    {
      Audience audience(place_, {.streams = options_.streams,
                                 .seed = options_.seed,
                                 .shortest_seconds = 20 * options_.tempo,
                                 .longest_seconds = 90 * options_.tempo});
      Mix mix(
          place_, options_.scenarios,
          {.clients = options_.clients,
           .seed = options_.seed,
           .longest_pause = options_.longest_pause,
           .say = [this](const std::string& line) { options_.say(absl::StrFormat("%6.0f s | %s", Passed(), line)); }});
      Watch(mix, audience);
      report_.seconds = Passed();
      mix.Stop();
      audience.Stop();
      report_.tallies = mix.tallies();
      Hear(audience);
    }
    Settle(before);
    End();
    Judge();
    return std::move(report_);
  }

 private:
  double Passed() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  void Fail(const std::string& what) { report_.failures.push_back(what); }

  // The server looks at itself once a second.
  absl::StatusOr<Ledger> LedgerOfIdleServer() const {
    for (Clock::time_point begin = Clock::now(); Clock::now() - begin < kSettling; Visit::Sleep(0.1)) {
      ASSIGN_OR_RETURN(const Ledger ledger, ReadLedger(place_.metrics));
      if (ledger.open_files > 0) return ledger;
    }
    return absl::DeadlineExceededError("the server does not say how many files it has open");
  }

  // Second by second until it is over.
  void Watch(const Mix& mix, Audience& audience) {
    double next_line = 60;
    for (double second = 0; second <= options_.seconds && !options_.stop(); ++second) {
      std::this_thread::sleep_until(begin_ + std::chrono::microseconds(std::llround(second * 1e6)));
      if (!server_.Alive()) return Fail(absl::StrFormat("the server ended by itself after %.0f s", Passed()));
      absl::StatusOr<MemorySample> sample = MemoryOf(server_.pid());
      if (!sample.ok()) continue;
      sample->seconds = Passed();
      report_.memory.push_back(*sample);
      if (second < next_line) continue;
      next_line += 60;
      EndMinute(*sample, mix, audience);
    }
  }

  void EndMinute(const MemorySample& memory, const Mix& mix, Audience& audience) {
    SoakMinute minute{.seconds = Passed(), .memory = memory};
    if (const auto ledger = ReadLedger(place_.metrics); ledger.ok()) minute.sessions = ledger->slots_in_use;
    for (const auto& [name, tally] : mix.tallies()) {
      minute.visits += tally.visits;
      minute.unexpected += tally.unexpected;
    }
    minute.p99_ms = Hear(audience);
    report_.minutes.push_back(minute);
    options_.say(LineOf(minute));
  }

  // Returns p99 of what was heard since the last time.
  double Hear(Audience& audience) {
    Audience::Figures figures = audience.Take();
    report_.streams += figures.streams;
    report_.blocks += figures.blocks;
    report_.lost_samples += figures.lost_samples;
    if (figures.failed > 0) {
      Fail(absl::StrCat(figures.failed, " streams of the audience failed, the first with ", figures.first_error));
    }
    latencies_ms_.insert(latencies_ms_.end(), figures.latencies_ms.begin(), figures.latencies_ms.end());
    return client::Quantile(figures.latencies_ms, 0.99);
  }

  void Settle(const Ledger& before) {
    const Clock::time_point begin = Clock::now();
    std::vector<std::string> debts = {"no scrape"};
    while (!debts.empty() && Clock::now() - begin < kSettling) {
      Visit::Sleep(0.5);
      const auto ledger = ReadLedger(place_.metrics);
      if (!ledger.ok()) {
        debts = {std::string(ledger.status().message())};
        continue;
      }
      report_.ledger = *ledger;
      debts = ledger->Debts(before);
    }
    for (const std::string& debt : debts) Fail(debt);
  }

  void End() {
    report_.exit_code = server_.Stop();
    if (report_.exit_code != 0) Fail(absl::StrCat("the server ended with ", report_.exit_code));
  }

  void Judge() {
    for (const auto& [name, tally] : report_.tallies) {
      if (tally.visits == 0) Fail(name + " never came");
      if (tally.unexpected == 0) continue;
      Fail(absl::StrCat(name, ": ", tally.unexpected, " of ", tally.visits,
                        " unexpected, the first: ", tally.first_unexpected));
    }
    if (report_.lost_samples != 0) Fail(absl::StrCat(report_.lost_samples, " samples of the audience are lost"));
    if (report_.blocks == 0) Fail("the audience heard nothing");
    report_.p50_ms = client::Quantile(latencies_ms_, 0.5);
    report_.p99_ms = client::Quantile(latencies_ms_, 0.99);
    report_.max_ms = client::Quantile(latencies_ms_, 1);
    report_.flatness = FlatnessOf(report_.memory, report_.seconds);
    if (!report_.flatness.has_value() || report_.seconds < options_.judged_seconds) return;
    if (std::abs(report_.flatness->growth()) > options_.most_growth) {
      Fail(absl::StrFormat("memory changed by %+.2f %%", 100 * report_.flatness->growth()));
    }
  }

  const SoakOptions& options_;
  loadtest::ServerProcess& server_;
  const Place place_;
  Clock::time_point begin_;
  SoakReport report_;
  std::vector<double> latencies_ms_;
};

}  // namespace

int64_t SoakReport::visits() const {
  int64_t sum = 0;
  for (const auto& [name, tally] : tallies) sum += tally.visits;
  return sum;
}

int64_t SoakReport::unexpected() const {
  int64_t sum = 0;
  for (const auto& [name, tally] : tallies) sum += tally.unexpected;
  return sum;
}

absl::StatusOr<SoakReport> RunSoak(const SoakOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Stage> stage, Stage::Build({.server_program = options.server_program,
                                                                     .server_flags = options.server_flags,
                                                                     .repository = options.repository,
                                                                     .server_log = options.server_log}));
  return SoakRun(options, *stage).Play();
}

}  // namespace ddsp::soak
