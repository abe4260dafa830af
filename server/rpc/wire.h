// The addresses that a server listens on, and the thread that serves them.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/io_thread.h"

namespace ddsp::server {

class Wire {
 public:
  Wire() = default;
  // Calls that still run are cancelled, and waited for.
  ~Wire();

  // Before Serve(); the endpoint lives as long as the wire. Errors: those of Endpoint::Open.
  absl::StatusOr<Endpoint*> Open(const Endpoint::Options& options, std::unique_ptr<MethodTable> methods);
  // Calls come from now on.
  void Serve();

 private:
  int LiveCalls() const;

  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::unique_ptr<IoThread> io_;
};

}  // namespace ddsp::server
