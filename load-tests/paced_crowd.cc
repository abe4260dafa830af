#include "load-tests/paced_crowd.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "load-tests/connection.h"

namespace ddsp::loadtest {
namespace {

constexpr int kOpenAtOnce = 8;
// With a server that does not answer.
constexpr std::chrono::seconds kPatience(30);
// For whom the server says nothing.
constexpr absl::Duration kUsualDelay = absl::Seconds(1);

bool IsRefusal(const absl::Status& status) { return client::ReasonOf(status) == "SESSION_SLOTS_EXHAUSTED"; }

bool IsOpening(const LiveCall& call) { return !call.started() && !call.ended(); }

PacedCrowd::Clock::duration ToClock(double seconds) {
  return std::chrono::duration_cast<PacedCrowd::Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

PacedCrowd::PacedCrowd(const LoadOptions& options, const std::vector<std::vector<float>>& recordings, ClientLoop& loop)
    : options_(options), loop_(loop), random_(options.jitter_seed), clients_(options.streams) {
  for (size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    client.options = options.stream;
    client.options.seed += i;
    client.recording = &recordings[i % recordings.size()];
    client.offset = random_() % client.recording->size();
    arriving_.push_back(i);
  }
}

PacedCrowd::~PacedCrowd() { EndAll(); }

absl::Status PacedCrowd::Open() {
  const size_t connections = options_.connections > 0 ? options_.connections : options_.streams;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (size_t i = 0; i < std::min(connections, clients_.size()); ++i) {
    ASSIGN_OR_RETURN(channels.emplace_back(), Connect(options_.server));
  }
  for (size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].channel = channels[i % channels.size()];
    Call(clients_[i]);
    // A few at a time: what is measured is not how fast they connect.
    const auto opening = [&] {
      return std::count_if(clients_.begin(), clients_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                           [](const Client& client) { return IsOpening(client.stream->call()); });
    };
    const int most = i + 1 == clients_.size() ? 0 : kOpenAtOnce;
    if (!loop_.Run(kPatience, [&] { return opening() <= most; })) {
      return absl::DeadlineExceededError(absl::StrCat("the server has not answered for ", kPatience.count(), " s"));
    }
  }
  absl::Status refusal;
  for (const Client& client : clients_) {
    const LiveCall& call = client.stream->call();
    if (!call.ended()) continue;
    refusal = call.status().ok() ? absl::UnavailableError("the session ended before it started") : call.status();
    if (!IsRefusal(refusal)) return refusal;
  }
  const bool alone = std::none_of(clients_.begin(), clients_.end(),
                                  [](const Client& client) { return client.stream->call().started(); });
  return alone ? refusal : absl::OkStatus();
}

void PacedCrowd::Call(Client& client) {
  client.stream =
      std::make_unique<PacedStream>(loop_, client.channel, client.options, *client.recording, client.offset);
}

void PacedCrowd::Play(const std::function<void(Clock::time_point)>& beside) {
  open_until_ = Clock::now() + ToClock(options_.patience_s);
  Receive(Clock::now());
  loop_.Run(
      std::chrono::hours(10000), [&] { return turns_.empty(); },
      [&](Clock::time_point now) {
        Receive(now);
        SendDue(now);
        beside(now);
      });
}

void PacedCrowd::Receive(Clock::time_point now) {
  std::erase_if(arriving_, [&](size_t index) {
    Client& client = clients_[index];
    const LiveCall& call = client.stream->call();
    if (call.started()) {
      BeginStream(index, now);
      return true;
    }
    if (!call.ended()) return false;
    if (!IsRefusal(call.status())) return true;
    if (client.again == Clock::time_point()) {
      const absl::Duration delay = client::RetryDelayOf(call.status()).value_or(kUsualDelay);
      client.again = call.ended_at() + ToClock(absl::ToDoubleSeconds(delay));
    }
    if (client.again > open_until_) return true;
    if (client.again > now) return false;
    client.again = {};
    Call(client);
    return false;
  });
}

// At an instant of its own within one message, so that messages of streams that begin together do not come in one
// burst.
void PacedCrowd::BeginStream(size_t index, Clock::time_point now) {
  std::uniform_real_distribution<double> offset(0, options_.stream.message_seconds);
  Client& client = clients_[index];
  client.stream->Begin(now + std::chrono::milliseconds(50) + ToClock(offset(random_)));
  client.begun = true;
  if (const auto due = client.stream->NextDue()) turns_.emplace(*due, index);
}

// Sends all that is due, about once in a millisecond. That makes a message late by up to a millisecond, and a block
// too, which counts: latency begins when the message was due and ends when the block is taken. A stream that fails is
// left alone: its end tells why.
void PacedCrowd::SendDue(Clock::time_point now) {
  while (!turns_.empty() && turns_.top().first <= now) {
    const size_t index = turns_.top().second;
    turns_.pop();
    PacedStream& stream = *clients_[index].stream;
    if (!stream.SendNext()) continue;
    if (const auto next = stream.NextDue()) turns_.emplace(*next, index);
  }
}

void PacedCrowd::Finish() {
  for (const size_t index : arriving_) {
    if (LiveCall& call = clients_[index].stream->call(); !call.ended()) call.Cancel();
  }
  const auto ended = [&] {
    return std::all_of(clients_.begin(), clients_.end(),
                       [](const Client& client) { return client.stream->call().ended(); });
  };
  const bool done = loop_.Run(kPatience, ended, [&](Clock::time_point) {
    for (PacedStream* stream : streams()) stream->Finish();
  });
  if (!done) EndAll();
}

// Cancels them and waits for their ends.
void PacedCrowd::EndAll() {
  const auto alive = [](const Client& client) { return client.stream != nullptr && !client.stream->call().ended(); };
  for (const Client& client : clients_) {
    if (alive(client)) client.stream->call().Cancel();
  }
  loop_.Run(std::chrono::hours(1), [&] { return std::none_of(clients_.begin(), clients_.end(), alive); });
}

std::vector<PacedStream*> PacedCrowd::streams() const {
  std::vector<PacedStream*> streams;
  for (const Client& client : clients_) {
    if (client.begun) streams.push_back(client.stream.get());
  }
  return streams;
}

}  // namespace ddsp::loadtest
