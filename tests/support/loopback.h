// TCP between programs of this host.
#pragma once

#include <string>

namespace ddsp::testing {

// A port of 127.0.0.1 that the system chose.
class LoopbackListener {
 public:
  LoopbackListener();
  ~LoopbackListener();
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  int port() const { return port_; }
  std::string address() const;            // HOST:PORT
  int socket() const { return socket_; }  // to poll
  // Waits for a connection; returns its socket, the caller's, or -1.
  int Accept() const;

 private:
  int socket_ = -1, port_ = 0;
};

// Returns a socket, the caller's, or -1 where nobody listens.
int ConnectToLoopback(int port);

}  // namespace ddsp::testing
