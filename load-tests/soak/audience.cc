#include "load-tests/soak/audience.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client/sdk/channel.h"
#include "client/sdk/error.h"

namespace ddsp::soak {

using Clock = std::chrono::steady_clock;

Audience::Audience(const Place& place, const Options& options)
    : place_(place), options_(options), random_(static_cast<uint32_t>(options.seed) | 1u), thread_([this] { Run(); }) {}

Audience::~Audience() { Stop(); }

void Audience::Stop() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

Audience::Figures Audience::Take() {
  const MutexLock lock(&mu_);
  return std::exchange(figures_, {});
}

void Audience::Run() {
  std::vector<Seat> seats(options_.streams);
  const auto empty = [&] {
    return stopped_ && std::all_of(seats.begin(), seats.end(), [](const Seat& seat) { return seat.stream == nullptr; });
  };
  loop_.Run(std::chrono::hours(10000), empty, [&](Clock::time_point now) {
    for (Seat& seat : seats) Attend(seat, now);
  });
}

void Audience::Attend(Seat& seat, Clock::time_point now) {
  if (seat.stream != nullptr && seat.stream->call().ended()) {
    Count(*seat.stream);
    seat.stream.reset();
  }
  if (seat.stream == nullptr) {
    if (stopped_) return;
    seat = {.stream = Open(), .begun = false};
  }
  loadtest::PacedStream& stream = *seat.stream;
  if (!stream.call().started()) return;
  if (!std::exchange(seat.begun, true)) {
    stream.Begin(now + std::chrono::microseconds(std::uniform_int_distribution<int>(0, 20000)(random_)));
  }
  auto due = stream.NextDue();
  while (due.has_value() && *due <= now && stream.SendNext()) due = stream.NextDue();
  if (!due.has_value()) stream.Finish();
}

std::unique_ptr<loadtest::PacedStream> Audience::Open() {
  constexpr int kRates[] = {16000, 16000, 24000, 48000};
  loadtest::PacedStreamOptions options;
  options.model = place_.voices[random_() % place_.voices.size()];
  options.sample_rate = kRates[random_() % std::size(kRates)];
  options.codec = random_() % 4 == 0 ? client::Codec::kOpus : client::Codec::kPcmFloat;
  options.seconds =
      std::uniform_real_distribution<double>(options_.shortest_seconds, options_.longest_seconds)(random_);
  options.seed = random_();
  return std::make_unique<loadtest::PacedStream>(loop_, client::MakeChannel(place_.server), options, place_.recording,
                                                 random_());
}

void Audience::Count(loadtest::PacedStream& stream) {
  loadtest::PacedStream::Outcome outcome = stream.TakeOutcome();
  const MutexLock lock(&mu_);
  ++figures_.streams;
  figures_.blocks += static_cast<int64_t>(outcome.latencies_ms.size());
  figures_.lost_samples += outcome.lost_samples;
  if (!outcome.status.ok() && figures_.failed++ == 0) figures_.first_error = client::Describe(outcome.status);
  figures_.latencies_ms.insert(figures_.latencies_ms.end(), outcome.latencies_ms.begin(), outcome.latencies_ms.end());
}

}  // namespace ddsp::soak
