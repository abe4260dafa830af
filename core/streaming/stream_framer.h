// One stream between its client's samples and an engine's hops: resampling, framing, timing. No threads, no engine.
//
//   framer.PushAudio(samples);
//   while (framer.HopReady()) {
//     HopRequest request = framer.NextHop();   // the engine steps it, alone or among others
//     framer.CompleteHop();
//   }
//   framer.Pop(out);                            // samples that are due
//
// What comes out depends on the samples and their times alone, never on how they were cut into calls.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/streaming/live_resampler.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

enum class TailPolicy { kRingOut, kCut };

class StreamFramer {
 public:
  struct Options {
    StreamFormat format;  // of the engine
    StreamInput input = StreamInput::kAudio;
    int input_rate = 16000;   // Hz, 8000..48000
    int output_rate = 16000;  // Hz, 8000..48000
    TailPolicy tail = TailPolicy::kRingOut;
    StreamParameters parameters;  // in force at sample 0
  };
  // Errors: INVALID_ARGUMENT that names the rate.
  static absl::StatusOr<std::unique_ptr<StreamFramer>> Create(const Options& options);

  // Declared latency and tail, in samples at the output rate. After M input samples exactly
  // max(0, M * output_rate / input_rate - latency()) output samples are due, rounded down.
  int64_t latency() const { return latency_; }
  int64_t tail() const { return tail_; }

  // Input samples pushed so far, at the input rate.
  int64_t input_samples() const { return pushed_; }
  // Input samples that no hop has taken yet, at the input rate: what credit is about.
  int64_t input_backlog() const;
  // As many input samples as the next hop needs, and as had to come before all that was popped was due.
  int64_t input_of_hop() const;
  int64_t input_of_popped() const;

  // [samples] at the input rate. Must be finite. Not after Finish().
  void PushAudio(absl::Span<const float> samples);
  // The next `samples` input samples are governed by `frame`. Only in a stream that is driven by controls.
  void PushControl(const ControlFrame& frame, int64_t samples);
  // From input sample `sample` on. Errors: OUT_OF_RANGE when it lies before samples that were pushed already.
  absl::Status ChangeParameters(int64_t sample, const StreamParameters& parameters);
  // Whether they may. Errors: the same.
  absl::Status CheckChange(int64_t sample) const;
  // No more input: everything that is left becomes due, the tail included.
  void Finish();
  bool finished() const { return finished_; }

  // True when the next step can be taken.
  bool HopReady() const;
  // Output and features point into the framer, valid until CompleteHop().
  HopRequest NextHop();
  void CompleteHop();

  // All that it remembers, while no hop is in hand, and back into a framer that was just made with the same options;
  // also that it is finished. Errors: DATA_LOSS (of other options, or no state of a framer).
  std::string Save() const;
  absl::Status Restore(std::string_view state);
  // Input samples from which parameters change that no hop has taken up yet; rounded down.
  std::vector<int64_t> pending_changes() const;

  // Samples that can be popped now, at the output rate.
  int64_t due() const;
  // Moves up to out.size() due samples to `out`; returns how many.
  int64_t Pop(absl::Span<float> out);
  // Feature frames since the last call; frame t is centred at the first sample of hop t.
  std::vector<FeatureFrame> TakeFeatures();
  // Finished, and every sample has been popped.
  bool done() const;
  // All output samples of the stream; meaningful after Finish().
  int64_t total_output() const;

 private:
  struct TimedChange {
    int64_t sample;  // of the engine's output
    StreamParameters parameters;
  };
  struct HeldControl {
    ControlFrame frame;
    int64_t end;  // first input sample that it does not govern
  };

  explicit StreamFramer(const Options& options);
  // Samples of the engine's input and output whose time lies within the first `input_samples`.
  int64_t EngineInput(int64_t input_samples) const;
  int64_t EngineOutput(int64_t input_samples) const;
  int64_t TotalSteps() const;  // of a finished stream
  void RestoreCounts(StateReader& reader);
  void CollectChanges();
  ControlFrame ControlAt(int64_t engine_sample);

  const Options options_;
  int64_t latency_ = 0, tail_ = 0;

  LiveResampler input_resampler_, output_resampler_;
  std::vector<float> input_;  // of the engine, [input_begin_, size) not yet taken
  size_t input_begin_ = 0;
  std::deque<HeldControl> controls_;
  std::deque<TimedChange> pending_changes_;
  StreamParameters parameters_;           // at the start of the next hop
  std::vector<ParameterChange> changes_;  // inside the next hop

  std::vector<float> hop_in_, hop_out_;
  FeatureFrame features_;
  std::vector<FeatureFrame> feature_queue_;
  std::vector<float> output_;  // at the output rate, [output_begin_, size) not yet popped
  size_t output_begin_ = 0;

  int64_t pushed_ = 0;  // input samples
  int64_t step_ = 0;    // steps completed
  int64_t popped_ = 0;  // output samples
  bool finished_ = false;
};

}  // namespace ddsp
