#include "client/flags/server_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace ddsp::client {

CLI::Option* AddServerFlags(CLI::App& app, ServerAddress* server, const std::string& help) {
  ChannelSecurity& security = server->security;
  if (const char* const token = std::getenv("DDSP_TOKEN"); token != nullptr) security.token = token;
  CLI::Option* const address = app.add_option("--server", server->target, help);
  const std::string group = "Reaching --server";
  app.add_flag("--tls", security.tls, "TLS, with the authorities that this machine trusts")->group(group);
  const auto file = [&](const char* name, std::string& path, const char* about) {
    return app.add_option(name, path, about)->group(group);
  };
  file("--tls-ca", security.ca_file, "TLS, with these authorities (PEM)");
  file("--tls-cert", security.cert_file, "Certificate to show (PEM)");
  file("--tls-key", security.key_file, "Its key (PEM)");
  file("--tls-server-name", security.server_name, "Name in the server's certificate, where it is not the address's");
  file("--token-file", security.token_file, "File with the token to show, instead of DDSP_TOKEN in the environment");
  app.callback([server] {
    if (server->empty()) return;
    if (const absl::Status status = CheckAddress(*server); !status.ok()) {
      throw CLI::ValidationError("--server", std::string(status.message()));
    }
  });
  return address;
}

}  // namespace ddsp::client
