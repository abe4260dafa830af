#include "tests/chaos/slow_proxy.h"

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "gtest/gtest.h"

namespace ddsp::testing {
namespace {

std::string ReadAll(int from) {
  std::string all;
  char part[4096];
  for (ssize_t size; (size = read(from, part, sizeof part)) > 0;) all.append(part, size);
  return all;
}

TEST(SlowProxy, DelaysAndThrottlesAndLosesNothing) {
  const LoopbackListener listener;
  SlowProxy proxy(listener.port(), {.delay = std::chrono::milliseconds(30), .bytes_per_second = 1e6});
  const std::string sent(200'000, 'x');
  const auto begin = std::chrono::steady_clock::now();
  const int client = ConnectToLoopback(proxy.port());
  std::thread writer([&] {
    EXPECT_EQ(write(client, sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    shutdown(client, SHUT_WR);
  });
  const int server = listener.Accept();
  EXPECT_EQ(ReadAll(server), sent);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  writer.join();
  EXPECT_GE(took.count(), 0.2 + 0.03);
  EXPECT_EQ(proxy.forwarded_bytes(), 200'000);
  for (const int socket : {client, server}) close(socket);
}

}  // namespace
}  // namespace ddsp::testing
