#include "load-tests/connection.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/sdk/channel.h"

namespace ddsp::loadtest {
namespace {

// -1: nobody listens at any of the host's addresses.
int ConnectedSocket(const std::string& host, const std::string& port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int socket = -1;
  for (const addrinfo* place = found; place != nullptr && socket < 0; place = place->ai_next) {
    socket = ::socket(place->ai_family, place->ai_socktype, place->ai_protocol);
    if (socket >= 0 && ::connect(socket, place->ai_addr, place->ai_addrlen) != 0) {
      ::close(socket);
      socket = -1;
    }
  }
  freeaddrinfo(found);
  return socket;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const client::ServerAddress& server) {
  if (server.security.uses_tls() || server.security.has_token()) return client::MakeChannel(server);
  const std::string& address = server.target;
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError(absl::StrCat(address, ": expected HOST:PORT"));
  const int socket = ConnectedSocket(address.substr(0, colon), address.substr(colon + 1));
  if (socket < 0) return absl::UnavailableError(absl::StrCat("cannot connect to ", address, ": ", strerror(errno)));
  const int at_once = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  return grpc::CreateCustomInsecureChannelFromFd(address, socket, grpc::ChannelArguments());
}

}  // namespace ddsp::loadtest
