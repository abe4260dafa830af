#pragma once

#include <CLI/App.hpp>
#include <string>

#include "client/sdk/server_address.h"

namespace ddsp::client {

// --server, and how to reach it: --tls, --tls-ca, --tls-cert, --tls-key, --tls-server-name, --token-file, and the
// environment's DDSP_TOKEN. What is wrong with them is a usage error. `server` outlives the parsing. Returns --server.
CLI::Option* AddServerFlags(CLI::App& app, ServerAddress* server, const std::string& help);

}  // namespace ddsp::client
