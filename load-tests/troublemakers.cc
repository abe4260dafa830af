#include "load-tests/troublemakers.h"

#include <cmath>
#include <utility>

#include "client/sdk/channel.h"

namespace ddsp::loadtest {
namespace {

constexpr int kRate = 16000, kKinds = 5;

std::vector<float> Tone(int64_t samples) {
  std::vector<float> tone(samples);
  for (int64_t n = 0; n < samples; ++n) tone[n] = 0.3f * static_cast<float>(std::sin(2 * M_PI * 330 * n / kRate));
  return tone;
}

// A session that is opened when it is needed, and again when it has ended.
class Line {
 public:
  Line(ClientLoop& loop, const client::ServerAddress& server, const std::string& model, bool reads)
      : loop_(&loop), channel_(client::MakeChannel(server)), reads_(reads) {
    options_.model = model;
  }
  Line(Line&&) = default;
  ~Line() { HangUp(); }

  void HangUp() {
    if (call_ != nullptr) LiveCall::Abandon(std::move(call_));
  }
  // Sends as many of `samples` as credit allows.
  void Send(int64_t samples) {
    if (call_ != nullptr && call_->ended()) call_.reset();
    if (call_ == nullptr) call_ = std::make_unique<LiveCall>(*loop_, channel_, options_, reads_);
    call_->Write(Tone(samples));
  }

 private:
  ClientLoop* loop_;
  std::shared_ptr<grpc::Channel> channel_;
  bool reads_;
  client::StreamOptions options_;
  std::unique_ptr<LiveCall> call_;
};

// Sends what has been recorded: `block` samples at a time, but nothing in the last `silence` of every ten seconds.
class Sender : public Troublemaker {
 public:
  Sender(Line line, int64_t block, double silence, double speed = 1)
      : line_(std::move(line)), block_(block), silence_(silence), speed_(speed) {}
  void Act(double seconds) override {
    if (std::fmod(seconds, 10) > 10 - silence_) return;
    const auto recorded = static_cast<int64_t>(seconds * kRate * speed_);
    for (; sent_ + block_ <= recorded; sent_ += block_) line_.Send(block_);
  }

 private:
  Line line_;
  const int64_t block_;
  const double silence_, speed_;
  int64_t sent_ = 0;
};

// Comes for a second, and goes in the middle of a hop.
class Leaver : public Troublemaker {
 public:
  explicit Leaver(Line line) : line_(std::move(line)) {}
  void Act(double seconds) override {
    if (seconds < next_) return;
    next_ = seconds + 0.1;
    line_.Send(1700);
    if (++sent_ % 10 == 0) line_.HangUp();
  }

 private:
  Line line_;
  double next_ = 0;
  int sent_ = 0;
};

std::unique_ptr<Troublemaker> Make(int kind, Line line) {
  switch (kind) {
    case 0:
      return std::make_unique<Sender>(std::move(line), 320, /*silence=*/3);
    case 1:
      return std::make_unique<Sender>(std::move(line), kRate, /*silence=*/0);
    case 2:
      // A sixteenth of real time: a thousand messages a second are trouble enough for the client itself.
      return std::make_unique<Sender>(std::move(line), 1, /*silence=*/0, /*speed=*/1.0 / 16);
    case 3:
      return std::make_unique<Leaver>(std::move(line));
    default:
      return std::make_unique<Sender>(std::move(line), 320, /*silence=*/0);
  }
}

}  // namespace

Troublemakers::Troublemakers(ClientLoop& loop, const client::ServerAddress& server, const std::string& model,
                             int count) {
  for (int i = 0; i < count; ++i) {
    const int kind = i % kKinds;
    troublemakers_.push_back(Make(kind, Line(loop, server, model, /*reads=*/kind != kKinds - 1)));
  }
}

void Troublemakers::Act(std::chrono::steady_clock::time_point now) {
  if (!begin_.has_value()) begin_ = now;
  const std::chrono::duration<double> passed = now - *begin_;
  for (const auto& troublemaker : troublemakers_) troublemaker->Act(passed.count());
}

}  // namespace ddsp::loadtest
