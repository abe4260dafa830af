#include "load-tests/troublemakers.h"

#include <chrono>
#include <cmath>
#include <optional>

#include "client/sdk/synthesis_stream.h"

namespace ddsp::loadtest {
namespace {

constexpr int kRate = 16000, kKinds = 5;

std::vector<float> Tone(int64_t samples) {
  std::vector<float> tone(samples);
  for (int64_t n = 0; n < samples; ++n) tone[n] = 0.3f * std::sin(2 * M_PI * 330 * n / kRate);
  return tone;
}

// A session that is opened when it is needed, and again when it has ended. A server that refuses is asked again.
class Line {
 public:
  Line(std::string server, std::string model) : server_(std::move(server)) { options_.model = std::move(model); }

  client::StreamOptions& options() { return options_; }
  void HangUp() { stream_.reset(); }
  // Sends as many of `samples` as credit allows.
  void Send(int64_t samples) {
    if (stream_ == nullptr) {
      auto stream = client::SynthesisStream::Open(server_, options_);
      if (!stream.ok()) return;
      stream_ = *std::move(stream);
    }
    if (!stream_->TryWrite(Tone(samples)).ok()) HangUp();
  }

 private:
  const std::string server_;
  client::StreamOptions options_;
  std::unique_ptr<client::SynthesisStream> stream_;
};

void Ignore(Line& line) {
  line.options().on_message = [](client::StreamMessage) {};
}

// Sends what has been recorded: `block` samples at a time, but nothing in `silence` of every ten seconds.
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
  if (kind != 4) Ignore(line);
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
      line.options().max_unread_samples = kRate;  // and nobody calls Read()
      return std::make_unique<Sender>(std::move(line), 320, /*silence=*/0);
  }
}

}  // namespace

Troublemakers::Troublemakers(const std::string& server, const std::string& model, int count) {
  for (int i = 0; i < count; ++i) troublemakers_.push_back(Make(i % kKinds, Line(server, model)));
  thread_ = std::thread([this] { Run(); });
}

Troublemakers::~Troublemakers() {
  stopped_ = true;
  thread_.join();
}

void Troublemakers::Run() {
  const auto begin = std::chrono::steady_clock::now();
  for (auto wake = begin; !stopped_; wake += std::chrono::milliseconds(1)) {
    std::this_thread::sleep_until(wake);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    for (const auto& troublemaker : troublemakers_) troublemaker->Act(passed.count());
  }
  troublemakers_.clear();
}

}  // namespace ddsp::loadtest
