// Looking at jobs, and ending them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/cli/job_json.h"
#include "client/cli/job_name.h"
#include "client/cli/job_session.h"
#include "client/cli/job_text.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

struct ListOptions {
  JobOptions job;
  v1::ListJobsRequest request;
  int64_t limit = 0;
};

void PrintRow(const v1::Job& job) {
  // How far it is, or what went wrong.
  const bool says_it_all = job.done() && job.state() != v1::JOB_STATE_FAILED;
  const std::string row = absl::StrFormat("%-30s %-10s %-9s %4.0f %%  %-20s %s", job.name(), KindOf(job),
                                          absl::AsciiStrToLower(StateOf(job)), 100 * ShareOf(job), job.display_name(),
                                          says_it_all ? "" : Tell(job));
  std::cout << absl::StripTrailingAsciiWhitespace(row) << "\n";
}

// Page by page: there may be many thousands.
absl::Status List(ListOptions options) {
  JobSession session(options.job);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  int64_t shown = 0;
  do {
    const absl::StatusOr<v1::ListJobsResponse> page = session.jobs().List(options.request);
    if (!page.ok()) return session.Explain(page.status());
    for (const v1::Job& job : page->jobs()) {
      if (options.limit > 0 && shown == options.limit) break;
      ++shown;
      if (options.job.json) {
        rows.push_back(ToJson(job));
      } else {
        PrintRow(job);
      }
    }
    options.request.set_page_token(page->next_page_token());
  } while (!options.request.page_token().empty() && (options.limit == 0 || shown < options.limit));
  if (options.job.json) std::cout << nlohmann::ordered_json{{"jobs", std::move(rows)}}.dump(2) << "\n";
  if (!options.job.json && shown == 0) std::cerr << "no jobs\n";
  return absl::OkStatus();
}

struct NameOptions {
  JobOptions job;
  std::string name;
};

std::shared_ptr<NameOptions> DeclareName(CLI::App& app) {
  auto options = std::make_shared<NameOptions>();
  app.add_option("NAME", options->name, kJobNameHelp)->required();
  AddJobOptions(app, &options->job);
  return options;
}

absl::Status Print(const JobSession& session, const JobOptions& options, const absl::StatusOr<v1::Job>& job) {
  if (!job.ok()) return session.Explain(job.status());
  std::cout << (options.json ? ToJson(*job).dump(2) + "\n" : Describe(*job));
  return absl::OkStatus();
}

absl::Status Get(const NameOptions& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  JobSession session(options.job);
  return Print(session, options.job, session.jobs().Get(name));
}

absl::Status CancelJob(const NameOptions& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  JobSession session(options.job);
  const absl::StatusOr<v1::Job> job = session.jobs().Cancel(name);
  if (!job.ok() || options.job.json) return Print(session, options.job, job);
  std::cout << job->name() << " " << (job->done() ? Tell(*job) : "stops as soon as its worker hears of it") << "\n";
  return absl::OkStatus();
}

struct WaitOptions : NameOptions {
  double timeout_secs = 0;
};

absl::Status Wait(const WaitOptions& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  JobSession session(options.job);
  const absl::Duration timeout =
      options.timeout_secs > 0 ? absl::Seconds(options.timeout_secs) : absl::InfiniteDuration();
  const absl::StatusOr<v1::Job> job = session.jobs().Wait(name, timeout);
  if (!job.ok()) return session.Explain(job.status());
  if (options.job.json) {
    std::cout << ToJson(*job).dump(2) << "\n";
  } else if (job->done()) {
    std::cout << job->name() << " " << Tell(*job) << "\n";
  }
  return OutcomeOf(*job);
}

struct LogOptions : NameOptions {
  bool follow = false;
};

// Prints lines after number `*last`, and moves it.
absl::Status PrintLog(JobsClient& jobs, const std::string& name, nlohmann::ordered_json* rows, int64_t* last) {
  constexpr int kPage = 1000;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::LogLine> lines, jobs.ListLogLines(name, *last, kPage));
    for (const v1::LogLine& line : lines) {
      *last = line.number();
      if (rows != nullptr) {
        rows->push_back(ToJson(line));
        continue;
      }
      const absl::Time time = absl::FromUnixSeconds(line.time().seconds()) + absl::Nanoseconds(line.time().nanos());
      std::cout << absl::FormatTime("%Y-%m-%d %H:%M:%E3S", time, absl::LocalTimeZone()) << "  " << line.text() << "\n";
    }
    std::cout << std::flush;
    if (lines.size() < kPage) return absl::OkStatus();
  }
}

absl::Status Follow(JobSession& session, const std::string& name) {
  int64_t last = 0;
  const std::unique_ptr<JobWatch> watch = session.jobs().Watch(name);
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<v1::Job> job, watch->Next());
    RETURN_IF_ERROR(PrintLog(session.jobs(), name, nullptr, &last));
    if (!job) return absl::OkStatus();
  }
}

absl::Status Logs(const LogOptions& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  JobSession session(options.job);
  if (options.follow) return session.Explain(Follow(session, name));
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  int64_t last = 0;
  const absl::Status printed = PrintLog(session.jobs(), name, options.job.json ? &rows : nullptr, &last);
  if (!printed.ok()) return session.Explain(printed);
  if (options.job.json) std::cout << nlohmann::ordered_json{{"lines", std::move(rows)}}.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareJobList(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  AddJobOptions(app, &options->job);
  app.add_option_function<std::string>(
      "--filter", [options](const std::string& filter) { options->request.set_filter(filter); },
      "As in 'state = RUNNING AND kind = train'; also done and display_name");
  app.add_option_function<int>(
         "--page-size", [options](int size) { options->request.set_page_size(size); }, "Jobs of one call; else 50")
      ->check(CLI::Range(1, 1000));
  app.add_option("--limit", options->limit, "Only so many, the newest; else all")->check(CLI::PositiveNumber);
  return [options] { return List(*options); };
}

Action DeclareJobGet(CLI::App& app) {
  const auto options = DeclareName(app);
  return [options] { return Get(*options); };
}

Action DeclareJobCancel(CLI::App& app) {
  const auto options = DeclareName(app);
  return [options] { return CancelJob(*options); };
}

Action DeclareJobWait(CLI::App& app) {
  auto options = std::make_shared<WaitOptions>();
  app.add_option("NAME", options->name, kJobNameHelp)->required();
  AddJobOptions(app, &options->job);
  app.add_option("--timeout", options->timeout_secs, "Seconds; else as long as it takes")->check(CLI::PositiveNumber);
  app.footer(kJobExitCodes);
  return [options] { return Wait(*options); };
}

Action DeclareJobLogs(CLI::App& app) {
  auto options = std::make_shared<LogOptions>();
  app.add_option("NAME", options->name, kJobNameHelp)->required();
  AddJobOptions(app, &options->job);
  app.add_flag("--follow,-f", options->follow, "Go on until the job is done");
  app.final_callback([options] {
    if (options->follow && options->job.json) {
      throw CLI::ValidationError("--follow", "goes on, which one object cannot: not with --output json");
    }
  });
  return [options] { return Logs(*options); };
}

}  // namespace ddsp::client
