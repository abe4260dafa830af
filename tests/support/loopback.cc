#include "tests/support/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ddsp::testing {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

LoopbackListener::LoopbackListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  DDSP_CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0, "a port is free");
  DDSP_CHECK(listen(socket_, 256) == 0, "the port is ours");
  DDSP_CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "the port has a number");
  port_ = ntohs(address.sin_port);
}

LoopbackListener::~LoopbackListener() { close(socket_); }

std::string LoopbackListener::address() const { return absl::StrCat("127.0.0.1:", port_); }

int LoopbackListener::Accept() const { return accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }

int ConnectToLoopback(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  close(socket);
  return -1;
}

}  // namespace ddsp::testing
