#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/cli/job_display.h"
#include "client/cli/job_files.h"
#include "client/cli/job_json.h"
#include "client/cli/job_name.h"
#include "client/cli/job_session.h"
#include "client/cli/job_text.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

struct Options {
  JobOptions job;
  std::string name, examples;
  double interval_secs = 5;
};

// Keeps the newest listening examples of a job in a folder.
class Examples {
 public:
  explicit Examples(std::string folder) : folder_(std::move(folder)) {}

  absl::Status Take(const v1::Job& job, BlobTransfer& blobs, JobDisplay& display) {
    if (folder_.empty()) return absl::OkStatus();
    for (const v1::JobFile& example : job.progress().examples()) {
      std::string& known = digests_[example.path()];
      if (known == example.sha256()) continue;
      const absl::Status fetched = Fetch(blobs, example, folder_);
      // It was replaced by a newer one while the message was on its way.
      if (absl::IsNotFound(fetched)) continue;
      RETURN_IF_ERROR(fetched);
      known = example.sha256();
      display.Say(absl::StrCat(folder_, "/", example.path()));
    }
    return absl::OkStatus();
  }

 private:
  const std::string folder_;
  std::map<std::string, std::string> digests_;  // by path
};

// The job as it is in the end.
absl::StatusOr<v1::Job> Follow(const Options& options, const std::string& name, JobSession& session,
                               JobDisplay& display) {
  const std::unique_ptr<JobWatch> watch = session.jobs().Watch(name);
  Examples examples(options.examples);
  v1::Job last;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<v1::Job> job, watch->Next());
    if (!job) return last;
    last = *job;
    display.Show(last);
    RETURN_IF_ERROR(examples.Take(last, session.blobs(), display));
  }
}

absl::Status Watch(const Options& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  // What stdout is for: the object, or the show.
  JobDisplay display(options.job.json ? stderr : stdout,
                     std::chrono::milliseconds(static_cast<int64_t>(1e3 * options.interval_secs)));
  JobSession session(options.job, [&display] { display.ShowTrouble(); });
  const absl::StatusOr<v1::Job> job = Follow(options, name, session, display);
  if (!job.ok()) return session.Explain(job.status());
  if (options.job.json) std::cout << ToJson(*job).dump(2) << "\n";
  return OutcomeOf(*job);
}

}  // namespace

Action DeclareJobWatch(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name, kJobNameHelp)->required();
  AddJobOptions(app, &options->job);
  app.add_option("--examples", options->examples, "Folder for listening examples, written as they improve");
  app.add_option("--interval", options->interval_secs,
                 "Seconds between lines about progress, where there is no terminal")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  app.footer(kJobExitCodes);
  return [options] { return Watch(*options); };
}

}  // namespace ddsp::client
