#include "client/cli/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

constexpr size_t kLongestAnswer = 64 << 20;

struct HostPort {
  std::string host, port;
};

absl::StatusOr<HostPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", address, "' is not HOST:PORT"));
  }
  HostPort parts{.host = address.substr(0, colon), .port = address.substr(colon + 1)};
  if (parts.host.front() == '[' && parts.host.back() == ']') parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

// One connection, all of it until a deadline.
class Connection {
 public:
  Connection(std::string address, absl::Duration timeout)
      : address_(std::move(address)), deadline_(absl::Now() + timeout) {}
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Open() {
    ASSIGN_OR_RETURN(const HostPort parts, Split(address_));
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found); error != 0) {
      return absl::UnavailableError(absl::StrCat(address_, ": ", ::gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    absl::Status status = absl::UnavailableError(absl::StrCat(address_, ": no address"));
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      if (status = Connect(*one); status.ok()) return status;
    }
    return status;
  }

  absl::Status Send(std::string_view text) {
    while (!text.empty()) {
      RETURN_IF_ERROR(Await(POLLOUT));
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return Error();
      if (sent > 0) text.remove_prefix(static_cast<size_t>(sent));
    }
    return absl::OkStatus();
  }

  // Until the other side has closed.
  absl::StatusOr<std::string> ReadAll() {
    std::string answer;
    char buffer[16384];
    while (answer.size() < kLongestAnswer) {
      RETURN_IF_ERROR(Await(POLLIN));
      const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size < 0 && errno != EAGAIN) return Error();
      if (size == 0) return answer;
      if (size > 0) answer.append(buffer, static_cast<size_t>(size));
    }
    return absl::FailedPreconditionError(absl::StrCat(address_, " sends more than can be read"));
  }

 private:
  absl::Status Error() const { return absl::UnavailableError(absl::StrCat(address_, ": ", std::strerror(errno))); }

  absl::Status Connect(const addrinfo& address) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
    if (socket_ < 0) return Error();
    if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return absl::OkStatus();
    if (errno != EINPROGRESS) return Error();
    RETURN_IF_ERROR(Await(POLLOUT));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return error == 0 ? absl::OkStatus() : Error();
  }

  absl::Status Await(short events) {
    const absl::Duration left = deadline_ - absl::Now();
    pollfd ready{.fd = socket_, .events = events, .revents = 0};
    if (left > absl::ZeroDuration() && ::poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) > 0) {
      return absl::OkStatus();
    }
    return absl::UnavailableError(absl::StrCat(address_, " does not answer in time"));
  }

  const std::string address_;
  const absl::Time deadline_;
  int socket_ = -1;
};

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path, absl::Duration timeout) {
  Connection connection(address, timeout);
  RETURN_IF_ERROR(connection.Open());
  // The old protocol: the answer comes whole, and its end is the connection's.
  RETURN_IF_ERROR(connection.Send(absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: ", address, "\r\n\r\n")));
  ASSIGN_OR_RETURN(const std::string answer, connection.ReadAll());
  const size_t body = answer.find("\r\n\r\n");
  if (!absl::StartsWith(answer, "HTTP/") || body == std::string::npos) {
    return absl::FailedPreconditionError(absl::StrCat(address, " does not speak HTTP; is it the metrics port?"));
  }
  const std::string status = answer.substr(0, answer.find("\r\n"));
  if (status.find(" 200") == std::string::npos) {
    return absl::FailedPreconditionError(absl::StrCat(address, path, ": ", status));
  }
  return answer.substr(body + 4);
}

}  // namespace ddsp::client
