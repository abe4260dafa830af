// What is known of a call besides its messages: who made it, under which id, in which trace. Counts it at its beginning
// and its end, and gives it the trailers that every call has.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "grpcpp/support/string_ref.h"
#include "server/logs/log.h"
#include "server/logs/rate_limit.h"
#include "server/memory/memory_budget.h"
#include "server/metrics/server_metrics.h"
#include "server/tracing/tracer.h"

namespace ddsp::server {

// What keeps the records of a server's calls; outlives them.
struct CallServices {
  ServerMetrics* metrics = nullptr;
  const Clock* clock = nullptr;
  // Null: nothing is traced, or said.
  const Tracer* tracer = nullptr;
  Log* log = nullptr;
  RateLimit* refusals = nullptr;  // with a log
  // Where bodies of messages are taken from; null: nobody counts.
  MemoryBudget* memory = nullptr;
  // A serialized xds.data.orca.v3.OrcaLoadReport; empty: none goes out.
  std::function<std::string()> load_report = {};
};

class CallRecord {
 public:
  // As gRPC has it.
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;
  using Trailers = std::vector<std::pair<std::string, std::string>>;

  // The call arrives: `method` is "/ddsp.v1.Synthesis/Render". `services` may be null: then only the id is kept.
  void Begin(const CallServices* services, const std::string& method, bool is_known, const Metadata& metadata,
             const std::string& peer);
  // Once, with the status that the client gets. Returns what goes with it.
  Trailers End(const absl::Status& status);

  // Given by the client as `x-request-id`, or made up here.
  const std::string& request_id() const { return request_id_; }
  // "ipv4:10.0.0.7:51234".
  const std::string& peer() const { return peer_; }
  // Null: the call is not traced.
  const std::shared_ptr<Span>& span() const { return span_; }
  // The call keeps so many bytes more until its end. Errors: MEMORY_EXHAUSTED.
  absl::Status Keep(int64_t bytes);
  // The session that the call carries, whose end is told by others.
  void SetSession(const std::string& id);

 private:
  void Trace(const Metadata& metadata);
  void EndSpan(const absl::Status& status);
  void Say(const absl::Status& status) const;

  const CallServices* services_ = nullptr;
  std::string method_, request_id_, peer_, session_id_;
  absl::Time begin_;
  std::shared_ptr<Span> span_;
  MemoryBudget::Share memory_;
};

// What a client called its call; empty where it is nothing that can be repeated in a log or a header.
std::string AcceptedRequestId(std::string_view given);

}  // namespace ddsp::server
