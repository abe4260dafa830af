#include "client/sdk/server_list.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ddsp::client {
namespace {

constexpr char kDns[] = "dns:///";

// "ipv4:10.0.0.1:8001", or an empty text.
std::string Numeric(const addrinfo& place) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(place.ai_addr, place.ai_addrlen, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return place.ai_family == AF_INET6 ? absl::StrCat("ipv6:[", host, "]:", port)
                                     : absl::StrCat("ipv4:", host, ":", port);
}

std::vector<std::string> Resolve(const std::string& host, const std::string& port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::vector<std::string> addresses;
  for (const addrinfo* place = found; place != nullptr; place = place->ai_next) {
    const std::string address = Numeric(*place);
    const bool known = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    if (!address.empty() && !known) addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitServers(const std::string& target) {
  absl::string_view rest = target;
  std::string scheme;
  for (const absl::string_view listed : {"ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&rest, listed)) scheme = std::string(listed);
  }
  std::vector<std::string> servers;
  for (const absl::string_view part : absl::StrSplit(rest, ',')) {
    if (part.empty()) return absl::InvalidArgumentError(absl::StrCat("\"", target, "\" has an empty address"));
    servers.push_back(absl::StrCat(scheme, part));
  }
  return servers;
}

std::vector<std::string> ResolveServers(absl::Span<const std::string> servers) {
  std::vector<std::string> addresses;
  for (const std::string& server : servers) {
    absl::string_view name = server;
    const size_t colon = server.rfind(':');
    std::vector<std::string> resolved;
    if (absl::ConsumePrefix(&name, kDns) && colon >= sizeof kDns - 1) {
      resolved = Resolve(std::string(name.substr(0, name.rfind(':'))), server.substr(colon + 1));
    }
    if (resolved.empty()) resolved.push_back(server);
    addresses.insert(addresses.end(), resolved.begin(), resolved.end());
  }
  return addresses;
}

}  // namespace ddsp::client
