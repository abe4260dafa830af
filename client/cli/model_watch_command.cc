// Tells of voices as they come, go and change their names.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/cli/interrupt.h"
#include "client/cli/model_changes.h"
#include "client/cli/models_client.h"
#include "client/flags/server_flags.h"
#include "client/sdk/retry.h"
#include "core/base/status_macros.h"
#include "core/models/voice_name.h"

namespace ddsp::client {
namespace {

struct WatchOptions {
  ServerAddress server;
  std::string model;
  bool json = false, retry = false;
};

// A line is there when it is true.
void Print(const std::vector<ModelChange>& changes, bool json) {
  const absl::Time now = absl::Now();
  for (const ModelChange& change : changes) {
    std::cout << (json ? ToJson(change, now).dump()
                       : absl::StrCat(absl::FormatTime("%H:%M:%S ", now, absl::LocalTimeZone()), TextOf(change)))
              << std::endl;
  }
}

// As long as one connection lasts. What is there at first is asked for apart, since a watch does not tell what is gone.
absl::Status WatchOnce(const WatchOptions& options, Cancellation& cancellation, ModelChanges& changes, bool* answered) {
  // gRPC's pauses between connections, of up to two minutes, begin anew with each client.
  ModelsClient client(options.server, absl::Seconds(10));
  ASSIGN_OR_RETURN(std::vector<v1::Model> models, client.List(&cancellation));
  *answered = true;
  std::erase_if(models, [&](const v1::Model& model) {
    return !options.model.empty() && model.name() != absl::StrCat("models/", options.model);
  });
  Print(changes.TakeAll(models), options.json);
  const absl::Status end = client.Watch(options.model, &cancellation,
                                        [&](const v1::Model& model) { Print(changes.Take(model), options.json); });
  // A server that stops cancels what is left of its calls.
  return absl::IsCancelled(end) ? absl::UnavailableError("the server ended the watch") : end;
}

absl::Status Explain(const absl::Status& end, bool met, const std::string& server) {
  if (!end.ok() && !IsPassing(end)) return end;
  const std::string why = end.ok() ? "" : absl::StrCat(": ", end.message());
  return WithExitCode(absl::UnavailableError(met ? absl::StrCat("the server at ", server, " has gone", why)
                                                 : absl::StrCat("no ddsp-server answers at ", server, why)),
                      ExitCode::kNotReached);
}

absl::Status Watch(const WatchOptions& options) {
  if (!options.model.empty() && !IsVoiceName(options.model)) {
    return absl::InvalidArgumentError(absl::StrCat("'", options.model, "' is no name of a model"));
  }
  Interrupt interrupt;
  Cancellation& cancellation = interrupt.cancellation();
  RetryPolicy patient;
  patient.give_up_after = absl::InfiniteDuration();
  Backoff backoff(patient, 0);
  ModelChanges changes;
  bool met = false;
  while (true) {
    bool answered = false;
    const absl::Status end = WatchOnce(options, cancellation, changes, &answered);
    if (cancellation.cancelled()) return absl::OkStatus();
    met |= answered;
    if (answered) backoff.Reset();
    if (!options.retry || !met || !(end.ok() || IsPassing(end))) return Explain(end, met, options.server.target);
    const absl::Status lost = end.ok() ? absl::UnavailableError("the server ended the watch") : end;
    std::cerr << "lost " << options.server.target << ", trying again: " << lost.message() << std::endl;
    cancellation.SleepFor(backoff.Next(lost, absl::Now(), met).value_or(patient.longest_pause));
  }
}

}  // namespace

Action DeclareModelWatch(CLI::App& app) {
  auto options = std::make_shared<WatchOptions>();
  app.add_option("MODEL", options->model, "Only this one, which need not be there yet; all by default");
  AddServerFlags(app, &options->server, "HOST:PORT of a server")->required();
  app.add_option_function<std::string>(
         "--output", [options](const std::string& form) { options->json = form == "json"; },
         "text for people, json: one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  app.add_flag("--retry", options->retry, "Outlast a server that goes away: tells what has changed when it is back");
  app.footer(
      "Ends with Ctrl-C. Exit codes: 0 interrupted, 1 error, 2 usage, 6 the server was not reached, or has gone.");
  return [options] { return Watch(*options); };
}

}  // namespace ddsp::client
