#include "server/security/security_options.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

bool IsLocal(const std::string& address) {
  for (const char* local : {"127.", "localhost:", "[::1]:", "unix:"}) {
    if (absl::StartsWith(address, local)) return true;
  }
  return address.empty();
}

}  // namespace

std::vector<std::string> WarningsOf(const SecurityOptions& options, const std::vector<std::string>& addresses) {
  std::vector<std::string> warnings;
  for (const std::string& address : addresses) {
    if (IsLocal(address)) continue;
    if (!options.authenticates() && options.tls.client_ca_file.empty()) {
      warnings.push_back(absl::StrCat(address, " asks for no token: whoever reaches it may use it (--auth-keys)"));
    } else if (!options.tls.enabled()) {
      warnings.push_back(absl::StrCat(address, " takes tokens in plain text (--tls-cert)"));
    }
  }
  return warnings;
}

}  // namespace ddsp::server
