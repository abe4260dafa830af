#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "server/security/api_key.h"
#include "server/security/principal.h"

namespace ddsp::client {
namespace {

struct Options {
  std::string tenant, note, expires;
  std::vector<std::string> roles = {"stream"};
};

// The key alone on stdout, so that it can go into a file that nobody else reads; its line on stderr.
absl::Status NewKey(const Options& options) {
  if (!server::IsTenantName(options.tenant)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tenant '", options.tenant, "' is not of the form [a-z][a-z0-9-]{0,62}"));
  }
  absl::Time expires;
  std::string why;
  if (!options.expires.empty() && !absl::ParseTime(absl::RFC3339_full, options.expires, &expires, &why)) {
    return absl::InvalidArgumentError(absl::StrCat("'", options.expires, "' is no time like 2027-01-31T00:00:00Z"));
  }
  const std::string key = server::NewApiKey();
  std::string line = absl::StrCat("key { tenant: \"", options.tenant, "\"");
  for (const std::string& role : options.roles) absl::StrAppend(&line, " role: ", absl::AsciiStrToUpper(role));
  absl::StrAppend(&line, " sha256: \"", server::HexOf(server::HashOfKey(key)), "\"");
  if (!options.expires.empty()) absl::StrAppend(&line, " expire_time: \"", options.expires, "\"");
  if (!options.note.empty()) absl::StrAppend(&line, " note: \"", absl::Utf8SafeCEscape(options.note), "\"");
  std::cout << key << std::endl;
  std::cerr << "# For the file of --auth-keys; the key itself is kept nowhere.\n" << line << " }\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareAuthNewKey(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--tenant", options->tenant, "Who will have it")->required();
  app.add_option("--role", options->roles, "stream, publish or admin; may be repeated")
      ->capture_default_str()
      ->check(CLI::IsMember({"stream", "publish", "admin"}));
  app.add_option("--expires", options->expires, "2027-01-31T00:00:00Z; never by default");
  app.add_option("--note", options->note, "For people");
  return [options] { return NewKey(*options); };
}

}  // namespace ddsp::client
