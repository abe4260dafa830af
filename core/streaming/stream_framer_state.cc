// A framer as bytes.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/state_bytes.h"
#include "core/streaming/stream_framer.h"

namespace ddsp {
namespace {

// Forms of a saved framer: of a stream that takes input, and of one whose input has ended. Older programs know the
// first alone.
constexpr int64_t kOpenForm = 1, kFinishedForm = 2;
// Far beyond any stream; products with rates do not overflow.
constexpr int64_t kMostSamples = int64_t{1} << 44;
constexpr int64_t kMostItems = int64_t{1} << 24;
// Far beyond any tail, and the input that waits before it.
constexpr int64_t kMostSteps = int64_t{1} << 17;

void SaveParameters(const StreamParameters& parameters, StateWriter& writer) {
  writer.Double(parameters.pitch_shift_semitones);
  writer.Double(parameters.loudness_shift_db);
}

StreamParameters RestoreParameters(StateReader& reader) {
  StreamParameters parameters;
  parameters.pitch_shift_semitones = reader.Double();
  parameters.loudness_shift_db = reader.Double();
  return parameters;
}

// What has to be the same.
std::vector<int64_t> Facts(const StreamFramer::Options& options) {
  const StreamFormat& format = options.format;
  return {format.sample_rate,
          format.hop_size,
          format.preroll,
          format.warmup_hops,
          format.tail,
          format.input_rate,
          format.input_hop,
          static_cast<int64_t>(options.input),
          options.input_rate,
          options.output_rate,
          static_cast<int64_t>(options.tail)};
}

}  // namespace

std::string StreamFramer::Save() const {
  StateWriter writer;
  writer.Int(finished_ ? kFinishedForm : kOpenForm);
  for (const int64_t fact : Facts(options_)) writer.Int(fact);
  writer.Int(pushed_);
  writer.Int(step_);
  writer.Int(popped_);
  SaveParameters(parameters_, writer);
  input_resampler_.Save(writer);
  output_resampler_.Save(writer);
  writer.CountedFloats(absl::MakeConstSpan(input_).subspan(input_begin_));
  writer.CountedFloats(absl::MakeConstSpan(output_).subspan(output_begin_));
  writer.Int(static_cast<int64_t>(controls_.size()));
  for (const HeldControl& control : controls_) {
    writer.Floats({control.frame.f0_hz, control.frame.power_db});
    writer.Int(control.end);
  }
  writer.Int(static_cast<int64_t>(pending_changes_.size()));
  for (const TimedChange& change : pending_changes_) {
    writer.Int(change.sample);
    SaveParameters(change.parameters, writer);
  }
  writer.Int(static_cast<int64_t>(feature_queue_.size()));
  for (const FeatureFrame& frame : feature_queue_) SaveFrame(frame, writer);
  return writer.Take();
}

absl::Status StreamFramer::Restore(std::string_view state) {
  DDSP_CHECK(!finished_ && pushed_ == 0 && step_ == 0, "a framer is restored when it is new");
  StateReader reader(state);
  finished_ = reader.Int(kOpenForm, kFinishedForm) == kFinishedForm;
  for (const int64_t fact : Facts(options_)) reader.Int(fact, fact);
  RestoreCounts(reader);
  parameters_ = RestoreParameters(reader);
  input_resampler_.Restore(reader);
  output_resampler_.Restore(reader);
  input_ = reader.CountedFloats(kMostItems);
  output_ = reader.CountedFloats(kMostItems);
  for (int64_t left = reader.Int(0, kMostItems); left > 0 && reader.ok(); --left) {
    float values[2];
    reader.Floats(absl::MakeSpan(values));
    const int64_t begin = controls_.empty() ? 0 : controls_.back().end;
    controls_.push_back({{values[0], values[1]}, reader.Int(begin, pushed_)});
  }
  for (int64_t left = reader.Int(0, kMostItems); left > 0 && reader.ok(); --left) {
    const int64_t earliest = pending_changes_.empty() ? 0 : pending_changes_.back().sample;
    const int64_t sample = reader.Int(earliest, kMostSamples * 8);
    pending_changes_.push_back({sample, RestoreParameters(reader)});
  }
  for (int64_t left = reader.Int(0, kMostItems); left > 0 && reader.ok(); --left) {
    feature_queue_.push_back(RestoreFrame(reader));
  }
  return reader.Finish();
}

void StreamFramer::RestoreCounts(StateReader& reader) {
  pushed_ = reader.Int(0, kMostSamples);
  if (finished_) {
    step_ = reader.Int(std::max<int64_t>(0, TotalSteps() - kMostSteps), TotalSteps());
  } else {
    step_ = reader.Int(0, kMostSamples);
  }
  // No more than was due.
  const int64_t declared = std::max<int64_t>(0, pushed_ * options_.output_rate / options_.input_rate - latency_);
  popped_ = reader.Int(0, finished_ ? total_output() : declared);
}

std::vector<int64_t> StreamFramer::pending_changes() const {
  std::vector<int64_t> samples;
  for (const TimedChange& change : pending_changes_) {
    samples.push_back(change.sample * options_.input_rate / options_.format.sample_rate);
  }
  return samples;
}

}  // namespace ddsp
