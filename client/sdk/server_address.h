// Where a server is, how it proves to be it, and how its callers prove who they are.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"

namespace ddsp::client {

struct ChannelSecurity {
  // TLS, with the authorities of this machine where ca_file names no others. A file of the next three means TLS too.
  bool tls = false;
  std::string ca_file;              // PEM: who signs the server's certificate
  std::string cert_file, key_file;  // PEM: what this side shows where the server asks for a certificate
  std::string server_name;          // in the server's certificate, where it is not the address's

  // "ddsp_..." or a JSON Web Token. The file goes before, and is read for each call: it may be replaced.
  std::string token, token_file;

  bool uses_tls() const { return tls || !ca_file.empty() || !cert_file.empty(); }
  bool has_token() const { return !token.empty() || !token_file.empty(); }
};

struct ServerAddress {
  ServerAddress() = default;
  ServerAddress(std::string target, ChannelSecurity security = {})  // NOLINT: an address in plain text is a string
      : target(std::move(target)), security(std::move(security)) {}
  ServerAddress(const char* target) : target(target) {}  // NOLINT

  std::string target;  // HOST:PORT, "dns:///name:port", "unix:/path"
  ChannelSecurity security;

  bool empty() const { return target.empty(); }
};

// For one of several servers behind an address: a name that was resolved is still the one that its certificate holds.
ChannelSecurity SecurityForPart(const ServerAddress& whole);

// Whether a channel can be made of it. Errors: those of reading its files, INVALID_ARGUMENT for a certificate without
// its key, FAILED_PRECONDITION for a token that would go to another machine in plain text.
absl::Status CheckAddress(const ServerAddress& address);

}  // namespace ddsp::client
