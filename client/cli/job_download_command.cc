#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/cli/job_files.h"
#include "client/cli/job_json.h"
#include "client/cli/job_name.h"
#include "client/cli/job_session.h"
#include "client/cli/job_text.h"
#include "client/cli/progress_bar.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

struct Options {
  JobOptions job;
  std::string name, out;
};

absl::Status FetchAll(const v1::JobResult& result, const std::string& folder, BlobTransfer& blobs) {
  double total = 1, before = 0;
  for (const v1::JobFile& file : result.files()) total += static_cast<double>(file.size());
  ProgressBar bar("downloading");
  for (const v1::JobFile& file : result.files()) {
    RETURN_IF_ERROR(Fetch(blobs, file, folder,
                          [&](int64_t done, int64_t) { bar.Show((before + static_cast<double>(done)) / total); }));
    before += static_cast<double>(file.size());
  }
  return absl::OkStatus();
}

absl::Status Download(const Options& options) {
  ASSIGN_OR_RETURN(const std::string name, ReadJobName(options.name));
  JobSession session(options.job);
  const absl::StatusOr<v1::Job> job = session.jobs().Get(name);
  if (!job.ok()) return session.Explain(job.status());
  RETURN_IF_ERROR(OutcomeOf(*job));
  const absl::Status fetched = FetchAll(job->result(), options.out, session.blobs());
  if (!fetched.ok()) return session.Explain(fetched);
  if (options.job.json) {
    std::cout << ToJson(job->result()).dump(2) << "\n";
    return absl::OkStatus();
  }
  for (const v1::JobFile& file : job->result().files()) std::cout << options.out << "/" << file.path() << "\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareJobDownload(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name, kJobNameHelp)->required();
  app.add_option("--out", options->out, "Folder for the job's results; what is there and right is kept")->required();
  AddJobOptions(app, &options->job);
  app.footer(kJobExitCodes);
  return [options] { return Download(*options); };
}

}  // namespace ddsp::client
