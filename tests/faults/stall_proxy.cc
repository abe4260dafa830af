#include "tests/faults/stall_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>

namespace ddsp::testing {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max() / 2;
constexpr int kPollMs = 5;

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
  acceptor_ = std::thread([this] { Accept(); });
}

StallProxy::~StallProxy() {
  closing_ = true;
  acceptor_.join();
  const MutexLock lock(&mu_);
  for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) close(socket);
}

std::string StallProxy::address() const { return listener_.address(); }

void StallProxy::StallAfterSent(int64_t bytes) { sent_.allowance = bytes; }
void StallProxy::StallAfterReceived(int64_t bytes) { received_.allowance = bytes; }

void StallProxy::Pass() {
  sent_.allowance = received_.allowance = kEndless;
  stalled_ = false;
}

void StallProxy::Accept() {
  while (!closing_) {
    pollfd ready{listener_.socket(), POLLIN, 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    const int client = listener_.Accept();
    if (client < 0) continue;
    const int server = ConnectToLoopback(target_port_);
    if (server < 0) {
      close(client);
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
