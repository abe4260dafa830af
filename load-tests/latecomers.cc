#include "load-tests/latecomers.h"

#include <utility>

#include "client/pacing/quantiles.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "load-tests/connection.h"

namespace ddsp::loadtest {
namespace {

// Of who was told no time to come back.
constexpr std::chrono::seconds kUsualPause(1);

}  // namespace

Latecomers::Latecomers(ClientLoop& loop, const Options& options)
    : loop_(loop), options_(options), random_(options.seed), clients_(options.count) {}

Latecomers::~Latecomers() {
  for (Client& client : clients_) {
    if (client.call != nullptr) LiveCall::Abandon(std::move(client.call));
  }
}

absl::Status Latecomers::Connect() {
  for (Client& client : clients_) {
    ASSIGN_OR_RETURN(client.channel, loadtest::Connect(options_.server));
  }
  return absl::OkStatus();
}

void Latecomers::Act(Time now) {
  for (Client& client : clients_) {
    if (client.next == Time()) client.next = now + std::chrono::milliseconds(random_() % 1000);
    if (client.call != nullptr && client.call->started()) {
      CountOther("a session began");
      LiveCall::Abandon(std::move(client.call));
      client.next = now + kUsualPause;
    } else if (client.call != nullptr && client.call->ended()) {
      client.next = Count(client);
      client.call.reset();
    } else if (client.call == nullptr && client.next <= now) {
      client::StreamOptions stream;
      stream.model = options_.model;
      client.called = std::chrono::steady_clock::now();
      client.call = std::make_unique<LiveCall>(loop_, client.channel, stream);
    }
  }
}

Latecomers::Time Latecomers::Count(const Client& client) {
  const Time now = client.call->ended_at();
  latencies_ms_.push_back(1e3 * std::chrono::duration<double>(now - client.called).count());
  const absl::Status& status = client.call->status();
  const std::optional<absl::Duration> hint = client::RetryDelayOf(status);
  const bool as_due = status.code() == absl::StatusCode::kUnavailable &&
                      client::ReasonOf(status) == "SESSION_SLOTS_EXHAUSTED" && hint.has_value();
  if (!as_due) {
    CountOther(client::Describe(status));
    return now + kUsualPause;
  }
  // Not all at once again.
  return now + absl::ToChronoMilliseconds(*hint) + std::chrono::milliseconds(random_() % 100);
}

void Latecomers::CountOther(const std::string& what) {
  if (refusals_.others++ == 0) refusals_.first_other = what;
}

Refusals Latecomers::Leave() {
  for (Client& client : clients_) {
    if (client.call != nullptr) LiveCall::Abandon(std::move(client.call));
  }
  Refusals refusals = std::exchange(refusals_, {});
  refusals.calls = static_cast<int64_t>(latencies_ms_.size());
  for (const double latency : latencies_ms_) refusals.slow += latency > kLongestRefusalMs;
  refusals.p50_ms = client::Quantile(latencies_ms_, 0.5);
  refusals.p99_ms = client::Quantile(latencies_ms_, 0.99);
  refusals.max_ms = client::Quantile(latencies_ms_, 1);
  return refusals;
}

}  // namespace ddsp::loadtest
