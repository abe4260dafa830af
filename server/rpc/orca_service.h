// How busy the server is, for load balancers (gRFC A51): a report with each call's trailers, and one stream of reports
// for clients whose calls last. Thread-safe.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "server/rpc/method_table.h"

namespace ddsp::server {

// Shares, 0..1 and more where a server is asked for more than it should be.
struct ServerLoad {
  double slots = 0;   // of session slots that are taken
  double device = 0;  // of the device time that may be promised
  double cpu = 0;     // of the machine's cores
  double memory = 0;  // of the memory budget
  // Calls a second that ended, and that ended with an error of the server's.
  double calls = 0, errors = 0;
};

// As the wire has it: xds.data.orca.v3.OrcaLoadReport. What limits the server most is its application_utilization.
std::string ToOrca(const ServerLoad& load);

class OrcaService {
 public:
  // `load` tells of now; any thread may ask.
  explicit OrcaService(std::function<ServerLoad()> load) : load_(std::move(load)) {}
  void AddMethods(MethodTable* methods);

  // Sends reports to those who are due one. About once a second: no report comes more often.
  void Tick(absl::Time now);

 private:
  class Listener;

  const std::function<ServerLoad()> load_;
  Mutex mu_;
  std::set<Listener*> listeners_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
