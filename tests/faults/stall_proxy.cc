#include "tests/faults/stall_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ddsp::testing {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max() / 2;
constexpr int kPollMs = 5;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool WriteAll(int to, const char* bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t written = send(to, bytes, size, MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes += written;
    size -= written;
  }
  return true;
}

}  // namespace

StallProxy::StallProxy(int target_port) : target_port_(target_port) {
  Pass();
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  DDSP_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "a port is free");
  DDSP_CHECK(listen(listener_, 64) == 0, "the port is ours");
  DDSP_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "the port has a number");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

StallProxy::~StallProxy() {
  closing_ = true;
  acceptor_.join();
  const MutexLock lock(&mu_);
  for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

std::string StallProxy::address() const { return absl::StrCat("127.0.0.1:", port_); }

void StallProxy::StallAfterSent(int64_t bytes) { sent_.allowance = bytes; }
void StallProxy::StallAfterReceived(int64_t bytes) { received_.allowance = bytes; }

void StallProxy::Pass() {
  sent_.allowance = received_.allowance = kEndless;
  stalled_ = false;
}

void StallProxy::Accept() {
  while (!closing_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(target_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(server);
      continue;
    }
    const MutexLock lock(&mu_);
    sockets_.insert(sockets_.end(), {client, server});
    threads_.emplace_back([this, client, server] { Forward(client, server, &sent_); });
    threads_.emplace_back([this, client, server] { Forward(server, client, &received_); });
  }
}

void StallProxy::Forward(int from, int to, Direction* direction) {
  std::array<char, 16384> bytes;
  while (!closing_) {
    if (stalled_) {
      poll(nullptr, 0, kPollMs);
      continue;
    }
    pollfd ready{from, POLLIN, 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
    if (size <= 0 || !WriteAll(to, bytes.data(), size)) break;
    if ((direction->allowance -= size) <= 0) stalled_ = true;
  }
  shutdown(from, SHUT_RDWR);
  shutdown(to, SHUT_RDWR);
}

}  // namespace ddsp::testing
