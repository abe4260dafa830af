// What plays on a server, and the end of what should not.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "client/cli/command.h"
#include "client/cli/session_text.h"
#include "client/cli/sessions_client.h"
#include "client/flags/server_flags.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

struct SessionOptions {
  ServerAddress server;
  std::string model, id, reason;
  bool json = false;
};

std::shared_ptr<SessionOptions> DeclareServer(CLI::App& app) {
  auto options = std::make_shared<SessionOptions>();
  AddServerFlags(app, &options->server, "HOST:PORT of a server's admin port (--admin-listen)")->required();
  app.add_option_function<std::string>(
         "--output", [options](const std::string& form) { options->json = form == "json"; },
         "text for people, json: one object")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  return options;
}

absl::Status List(const SessionOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<v1::Session> sessions, SessionsClient(options.server).List(options.model));
  if (!options.json) {
    std::cout << SessionTable(sessions);
    return absl::OkStatus();
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const v1::Session& session : sessions) rows.push_back(ToJson(session));
  std::cout << nlohmann::ordered_json{{"sessions", std::move(rows)}}.dump(2) << "\n";
  return absl::OkStatus();
}

absl::Status Kill(const SessionOptions& options) {
  ASSIGN_OR_RETURN(const v1::Session session, SessionsClient(options.server).Kill(options.id, options.reason));
  std::cout << (options.json ? ToJson(session).dump(2) + "\n" : "ended " + session.id() + "\n");
  return absl::OkStatus();
}

}  // namespace

Action DeclareSessionList(CLI::App& app) {
  const auto options = DeclareServer(app);
  app.add_option("--model", options->model, "Only those of a voice: violin, or violin/3");
  return [options] { return List(*options); };
}

Action DeclareSessionKill(CLI::App& app) {
  const auto options = DeclareServer(app);
  app.add_option("ID", options->id, "As `session list` has it")->required();
  app.add_option("--reason", options->reason, "Told to the client and to the log");
  return [options] { return Kill(*options); };
}

}  // namespace ddsp::client
