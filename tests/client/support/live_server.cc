#include "tests/client/support/live_server.h"

#include <utility>

#include "core/base/check.h"
#include "server/registry/repository_loader.h"

namespace ddsp::testing {

LiveServer::LiveServer(int max_sessions) {
  WriteTestBundle(repository_.path());
  server::ServerOptions options;
  options.model_repository = repository_.path();
  options.listen = options.metrics_listen = options.admin_listen = "127.0.0.1:0";
  options.max_sessions = max_sessions;
  auto voices = server::LoadRepository(options.model_repository, max_sessions);
  DDSP_CHECK(voices.ok(), "the test voice loads");
  auto features = server::MakeFeatureEngine(max_sessions);
  DDSP_CHECK(features.ok(), "the feature engine can be made");
  auto started =
      server::Server::Start(options, std::make_unique<server::Registry>(*std::move(voices), *std::move(features)));
  DDSP_CHECK(started.ok(), "a server starts on a free port");
  server_ = *std::move(started);
}

LiveServer::~LiveServer() {
  server_->BeginDrain();
  server_->FinishDrain(absl::Seconds(5));
}

std::string LiveServer::address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

}  // namespace ddsp::testing
