#include "client/cli/job_session.h"

#include <grpcpp/channel.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/flags/server_flags.h"
#include "client/sdk/channel.h"
#include "client/sdk/jobs_caller.h"

namespace ddsp::client {

void AddJobOptions(CLI::App& app, JobOptions* options) {
  AddServerFlags(app, &options->server, "HOST:PORT of a ddsp-server that keeps jobs")
      ->envname("DDSP_SERVER")
      ->required();
  app.add_option_function<std::string>(
         "--output", [options](const std::string& form) { options->json = form == "json"; },
         "text for people, json: one object")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
}

JobSession::JobSession(const JobOptions& options, std::function<void()> on_trouble)
    : server_(options.server.target),
      caller_(std::make_shared<JobsCaller>(v1::Jobs::NewStub(MakeJobsChannel(options.server)),
                                           MakeCallOptions(std::move(on_trouble)))),
      jobs_(caller_),
      blobs_(caller_) {}

CallOptions JobSession::MakeCallOptions(std::function<void()> on_trouble) {
  CallOptions options;
  options.cancellation = &interrupt_.cancellation();
  if (on_trouble) {
    options.pause = [this, on_trouble = std::move(on_trouble)](absl::Duration pause) {
      on_trouble();
      interrupt_.cancellation().SleepFor(pause);
    };
  }
  return options;
}

absl::Status JobSession::Explain(const absl::Status& error) const {
  if (absl::IsCancelled(error)) return WithExitCode(absl::CancelledError("interrupted"), ExitCode::kInterrupted);
  if (absl::IsUnimplemented(error)) {
    return absl::UnimplementedError(
        absl::StrCat("the server at ", server_, " keeps no jobs: start it with --data-dir"));
  }
  if (!IsPassing(error)) return error;
  if (DetailsOf(error)) return WithExitCode(error, ExitCode::kNotReached);
  return WithExitCode(
      absl::UnavailableError(absl::StrCat("no ddsp-server answers at ", server_, ": ", error.message())),
      ExitCode::kNotReached);
}

}  // namespace ddsp::client
