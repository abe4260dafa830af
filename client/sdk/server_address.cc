#include "client/sdk/server_address.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/sdk/channel.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

namespace {

bool IsLocal(absl::string_view host) {
  if (absl::StartsWith(host, "unix:")) return true;
  for (const char* scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) absl::ConsumePrefix(&host, scheme);
  for (const char* local : {"127.", "localhost:", "[::1]:"}) {
    if (absl::StartsWith(host, local)) return true;
  }
  return host == "localhost" || host == "::1";
}

}  // namespace

bool IsThisMachine(const std::string& target) {
  const std::vector<absl::string_view> hosts = absl::StrSplit(target, ',');
  return std::all_of(hosts.begin(), hosts.end(), IsLocal);
}

ChannelSecurity SecurityForPart(const ServerAddress& whole) {
  ChannelSecurity security = whole.security;
  absl::string_view name = whole.target;
  if (security.server_name.empty() && absl::ConsumePrefix(&name, "dns:///")) {
    security.server_name = std::string(name.substr(0, name.rfind(':')));
  }
  return security;
}

absl::Status CheckAddress(const ServerAddress& address) {
  const ChannelSecurity& security = address.security;
  if (security.cert_file.empty() != security.key_file.empty()) {
    return absl::InvalidArgumentError("a client's certificate goes with its key");
  }
  for (const std::string& file : {security.ca_file, security.cert_file, security.key_file, security.token_file}) {
    if (!file.empty()) RETURN_IF_ERROR(ReadFile(file).status());
  }
  if (security.has_token() && !security.uses_tls() && !IsThisMachine(address.target)) {
    return absl::FailedPreconditionError(
        absl::StrCat("a token would go to ", address.target, " in plain text: use TLS"));
  }
  return absl::OkStatus();
}

}  // namespace ddsp::client
