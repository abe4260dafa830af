#include "core/streaming/stream_framer.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/integer.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

constexpr int kMinRate = 8000, kMaxRate = 48000;
// What a stream of controls continues with after its end.
constexpr float kSilenceDb = -80.0f;
constexpr size_t kCompactAt = 4096, kMostKept = 2 * kCompactAt;

absl::Status CheckRate(const char* which, int rate) {
  if (rate >= kMinRate && rate <= kMaxRate) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(which, " rate ", rate, " Hz is outside ", kMinRate, "..", kMaxRate));
}

// Smallest L such that every output sample is known by the time that
// max(0, floor(M * out / in) - L) declares it due (see DeclaredLatency in tests/core/streaming/stream_framer_test.cc).
int64_t DeclaredLatency(const StreamFormat& format, int in, int out, int in_lookahead, int out_lookahead) {
  const double heard = format.input_rate, played = format.sample_rate;
  const double around = out_lookahead * (out / played) + static_cast<double>(in_lookahead) * out / in;
  const double nominal = static_cast<double>(format.lookahead()) * out / heard + around;
  const double bound =
      static_cast<double>(format.lookahead() - 1) * out / heard + around + static_cast<double>(out) / in - 1;
  return static_cast<int64_t>(std::ceil(std::max(nominal, bound) - 1e-9));
}

// Drops what was taken from the front once it is worth a move.
void Compact(std::vector<float>* samples, size_t* begin) {
  if (*begin < kCompactAt && *begin < samples->size()) return;
  samples->erase(samples->begin(), samples->begin() + *begin);
  *begin = 0;
  if (samples->capacity() <= kMostKept || samples->size() > kCompactAt) return;
  // What a burst needed is not kept.
  std::vector<float> less;
  less.reserve(kMostKept);
  less.assign(samples->begin(), samples->end());
  samples->swap(less);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StreamFramer>> StreamFramer::Create(const Options& options) {
  RETURN_IF_ERROR(CheckRate("input", options.input_rate));
  RETURN_IF_ERROR(CheckRate("output", options.output_rate));
  return std::unique_ptr<StreamFramer>(new StreamFramer(options));
}

StreamFramer::StreamFramer(const Options& options)
    : options_(options),
      input_resampler_(options.input_rate, options.format.input_rate),
      output_resampler_(options.format.sample_rate, options.output_rate),
      input_(options.format.preroll, 0.0f),
      parameters_(options.parameters),
      hop_in_(options.format.input_hop),
      hop_out_(options.format.hop_size) {
  const StreamFormat& format = options.format;
  const int in_lookahead = options.input == StreamInput::kAudio ? input_resampler_.lookahead() : 0;
  latency_ =
      DeclaredLatency(format, options.input_rate, options.output_rate, in_lookahead, output_resampler_.lookahead());
  tail_ = CeilDiv(format.tail * options.output_rate, format.sample_rate);
}

int64_t StreamFramer::EngineInput(int64_t input_samples) const {
  return CeilDiv(input_samples * options_.format.input_rate, options_.input_rate);
}

int64_t StreamFramer::EngineOutput(int64_t input_samples) const {
  return CeilDiv(input_samples * options_.format.sample_rate, options_.input_rate);
}

int64_t StreamFramer::input_backlog() const {
  const int64_t taken = step_ * options_.format.input_hop - options_.format.preroll;
  return std::max<int64_t>(0, pushed_ - std::max<int64_t>(0, taken) * options_.input_rate / options_.format.input_rate);
}

int64_t StreamFramer::input_of_hop() const {
  const int64_t taken = (step_ + 1) * options_.format.input_hop - options_.format.preroll;
  return CeilDiv(std::max<int64_t>(0, taken) * options_.input_rate, options_.format.input_rate);
}

int64_t StreamFramer::input_of_popped() const {
  return popped_ == 0 ? 0 : CeilDiv((popped_ + latency_) * options_.input_rate, options_.output_rate);
}

void StreamFramer::PushAudio(absl::Span<const float> samples) {
  DDSP_CHECK(!finished_ && options_.input == StreamInput::kAudio, "audio is pushed only into an open stream of audio");
  pushed_ += samples.size();
  input_resampler_.Process(samples, &input_);
}

void StreamFramer::PushControl(const ControlFrame& frame, int64_t samples) {
  DDSP_CHECK(!finished_ && options_.input == StreamInput::kControls,
             "controls are pushed only into an open stream of controls");
  pushed_ += samples;
  controls_.push_back({frame, pushed_});
}

absl::Status StreamFramer::CheckChange(int64_t sample) const {
  if (sample < pushed_) {
    return absl::OutOfRangeError(
        absl::StrCat("change at sample ", sample, " comes after ", pushed_, " samples were sent"));
  }
  if (!pending_changes_.empty() && EngineOutput(sample) < pending_changes_.back().sample) {
    return absl::OutOfRangeError(absl::StrCat("change at sample ", sample, " lies before an earlier change"));
  }
  return absl::OkStatus();
}

absl::Status StreamFramer::ChangeParameters(int64_t sample, const StreamParameters& parameters) {
  RETURN_IF_ERROR(CheckChange(sample));
  pending_changes_.push_back({EngineOutput(sample), parameters});
  return absl::OkStatus();
}

void StreamFramer::Finish() { finished_ = true; }

int64_t StreamFramer::total_output() const {
  if (pushed_ == 0) return 0;
  const int64_t answered = pushed_ * options_.output_rate / options_.input_rate;
  return answered + (options_.tail == TailPolicy::kRingOut ? tail_ : 0);
}

int64_t StreamFramer::TotalSteps() const {
  const StreamFormat& format = options_.format;
  if (pushed_ == 0) return 0;
  const int64_t frames = EngineInput(pushed_) / format.input_hop + 1;
  const int64_t last_sample =
      (total_output() - 1) * format.sample_rate / options_.output_rate + output_resampler_.lookahead();
  const int64_t hops = total_output() == 0 ? 0 : last_sample / format.hop_size + 1;
  return format.warmup_hops + std::max(hops, frames - 1);
}

bool StreamFramer::HopReady() const {
  const StreamFormat& format = options_.format;
  if (finished_) return step_ < TotalSteps();
  if (options_.input == StreamInput::kControls) {
    return EngineInput(pushed_) + format.preroll >= (step_ + 1) * format.input_hop;
  }
  return input_.size() - input_begin_ >= static_cast<size_t>(format.input_hop);
}

// The hop that this step gives starts at sample (step - warmup) * hop; changes up to the frame at its end fall into it.
void StreamFramer::CollectChanges() {
  changes_.clear();
  const int64_t begin = (step_ - options_.format.warmup_hops) * options_.format.hop_size;
  while (!pending_changes_.empty() && pending_changes_.front().sample <= begin + options_.format.hop_size) {
    const TimedChange& change = pending_changes_.front();
    const int64_t offset = std::max<int64_t>(1, change.sample - begin);
    changes_.push_back({static_cast<int>(offset), change.parameters});
    pending_changes_.pop_front();
  }
}

ControlFrame StreamFramer::ControlAt(int64_t engine_sample) {
  const int64_t sample = engine_sample * options_.input_rate / options_.format.input_rate;
  while (controls_.size() > 1 && controls_.front().end <= sample) controls_.pop_front();
  if (controls_.empty()) return {0, kSilenceDb};
  ControlFrame frame = controls_.front().frame;
  if (controls_.front().end <= sample) frame.power_db = kSilenceDb;
  return frame;
}

HopRequest StreamFramer::NextHop() {
  DDSP_CHECK(HopReady(), "a hop is asked for only when one is ready");
  const StreamFormat& format = options_.format;
  HopRequest request;
  if (options_.input == StreamInput::kAudio) {
    const size_t hop = format.input_hop;
    while (input_.size() - input_begin_ < hop) {
      // Past the end: the input goes on in silence, through the resampler so that its last samples come out too.
      hop_in_.assign(hop * options_.input_rate / format.input_rate + 2 * input_resampler_.lookahead() + 1, 0.0f);
      input_resampler_.Process(hop_in_, &input_);
    }
    hop_in_.assign(input_.begin() + input_begin_, input_.begin() + input_begin_ + hop);
    input_begin_ += hop;
    Compact(&input_, &input_begin_);
    request.audio = hop_in_;
  } else {
    request.control = ControlAt((step_ - format.warmup_hops + 1) * format.input_hop);
  }
  CollectChanges();
  request.parameters = parameters_;
  request.changes = changes_;
  request.output = absl::MakeSpan(hop_out_);
  request.features = &features_;
  return request;
}

void StreamFramer::CompleteHop() {
  const StreamFormat& format = options_.format;
  const int64_t frame = step_ - format.warmup_hops + 1;
  const bool past_end = finished_ && frame * format.input_hop > EngineInput(pushed_);
  if (frame >= 0 && !past_end) feature_queue_.push_back(features_);
  if (step_ >= format.warmup_hops) output_resampler_.Process(hop_out_, &output_);
  if (!changes_.empty()) parameters_ = changes_.back().parameters;
  ++step_;
}

int64_t StreamFramer::due() const {
  const int64_t made = popped_ + static_cast<int64_t>(output_.size() - output_begin_);
  const int64_t declared = std::max<int64_t>(0, pushed_ * options_.output_rate / options_.input_rate - latency_);
  const int64_t released = finished_ ? total_output() : declared;
  return std::min(made, released) - popped_;
}

int64_t StreamFramer::Pop(absl::Span<float> out) {
  const int64_t count = std::min<int64_t>(due(), out.size());
  std::copy_n(output_.begin() + output_begin_, count, out.begin());
  output_begin_ += count;
  popped_ += count;
  Compact(&output_, &output_begin_);
  return count;
}

std::vector<FeatureFrame> StreamFramer::TakeFeatures() { return std::exchange(feature_queue_, {}); }

bool StreamFramer::done() const { return finished_ && !HopReady() && popped_ == total_output(); }

}  // namespace ddsp
