#include "tests/chaos/slow_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "gtest/gtest.h"

namespace ddsp::testing {
namespace {

int Listener(int* port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return listener;
}

int ConnectTo(const std::string& host_and_port) {
  const int to = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(std::stoi(host_and_port.substr(host_and_port.find(':') + 1)));
  EXPECT_EQ(connect(to, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return to;
}

std::string ReadAll(int from) {
  std::string all;
  char part[4096];
  for (ssize_t size; (size = read(from, part, sizeof part)) > 0;) all.append(part, size);
  return all;
}

TEST(SlowProxy, DelaysAndThrottlesAndLosesNothing) {
  int port = 0;
  const int listener = Listener(&port);
  SlowProxy proxy(port, {.delay = std::chrono::milliseconds(30), .bytes_per_second = 1e6});
  const std::string sent(200'000, 'x');
  const auto begin = std::chrono::steady_clock::now();
  const int client = ConnectTo(proxy.address());
  std::thread writer([&] {
    EXPECT_EQ(write(client, sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    shutdown(client, SHUT_WR);
  });
  const int server = accept(listener, nullptr, nullptr);
  EXPECT_EQ(ReadAll(server), sent);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  writer.join();
  EXPECT_GE(took.count(), 0.2 + 0.03);
  EXPECT_EQ(proxy.forwarded_bytes(), 200'000);
  for (const int socket : {client, server, listener}) close(socket);
}

}  // namespace
}  // namespace ddsp::testing
