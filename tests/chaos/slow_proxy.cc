#include "tests/chaos/slow_proxy.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ddsp::testing {
namespace {

constexpr int kLookMs = 1;

void Prepare(int socket) {
  const int at_once = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

SlowProxy::SlowProxy(int target_port, const Settings& settings) : target_port_(target_port), settings_(settings) {
  thread_ = std::thread([this] { Run(); });
}

SlowProxy::~SlowProxy() {
  closing_ = true;
  thread_.join();
  for (const auto& connection : connections_) {
    close(connection->there.from);
    close(connection->there.to);
  }
}

void SlowProxy::Accept() {
  const int client = listener_.Accept();
  if (client < 0) return;
  const int server = ConnectToLoopback(target_port_);
  if (server < 0) {
    close(client);
    return;
  }
  Prepare(client);
  Prepare(server);
  auto connection = std::make_unique<Connection>();
  connection->there.from = connection->back.to = client;
  connection->there.to = connection->back.from = server;
  connections_.push_back(std::move(connection));
}

void SlowProxy::Read(Way* way, bool* broken) {
  std::array<char, 16384> bytes;
  const ssize_t size = recv(way->from, bytes.data(), bytes.size(), 0);
  if (size < 0 && WouldBlock()) return;
  if (size < 0) *broken = true;
  if (size <= 0) {
    way->source_ended = true;
    return;
  }
  const std::chrono::duration<double> length(static_cast<double>(size) / settings_.bytes_per_second);
  way->free = std::max(way->free, Clock::now()) + std::chrono::duration_cast<Clock::duration>(length);
  way->waiting.push_back({std::string(bytes.data(), size), way->free + settings_.delay});
  way->waiting_bytes += size;
}

void SlowProxy::Write(Way* way, Clock::time_point now, bool* broken) {
  while (!way->waiting.empty() && way->waiting.front().due <= now) {
    std::string& bytes = way->waiting.front().bytes;
    const ssize_t size = send(way->to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) {
      *broken |= !WouldBlock();
      return;
    }
    way->waiting_bytes -= size;
    forwarded_bytes_ += size;
    if (size < static_cast<ssize_t>(bytes.size())) {
      bytes.erase(0, size);
      return;
    }
    way->waiting.pop_front();
  }
  if (way->source_ended && way->waiting.empty()) shutdown(way->to, SHUT_WR);
}

void SlowProxy::Run() {
  std::vector<pollfd> polled;
  while (!closing_) {
    polled.assign(1, {listener_.socket(), POLLIN, 0});
    const auto watch = [&](const Way& way) {
      const bool reads = !way.source_ended && way.waiting_bytes < settings_.most_waiting_bytes;
      polled.push_back({way.from, static_cast<short>(reads ? POLLIN : 0), 0});
    };
    for (const auto& connection : connections_) {
      watch(connection->there);
      watch(connection->back);
    }
    poll(polled.data(), polled.size(), kLookMs);
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = *connections_[i];
      if ((polled[1 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        Read(&connection.there, &connection.broken);
      }
      if ((polled[2 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) Read(&connection.back, &connection.broken);
      Write(&connection.there, now, &connection.broken);
      Write(&connection.back, now, &connection.broken);
    }
    std::erase_if(connections_, [](const std::unique_ptr<Connection>& connection) {
      const bool drained = connection->there.source_ended && connection->there.waiting.empty() &&
                           connection->back.source_ended && connection->back.waiting.empty();
      if (!connection->broken && !drained) return false;
      close(connection->there.from);
      close(connection->there.to);
      return true;
    });
    if ((polled[0].revents & POLLIN) != 0) Accept();
  }
}

}  // namespace ddsp::testing
