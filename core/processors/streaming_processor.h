// Processors that run block by block.
//
// The blocks of a stream, however they are cut, give the samples of the whole call, to 1e-5. That a processor can do
// this is its type: what needs the end of a signal before its first sample, or drifts over a long one, is a Processor
// alone. The processor stays immutable; everything that evolves is in the ProcessorState passed in.
#pragma once

#include <map>
#include <memory>

#include "core/processors/processor.h"
#include "core/processors/sample_queue.h"

namespace ddsp {

// What stays the same for all blocks of a stream.
struct StreamLayout {
  int64_t batch = 1;
  int64_t hop = 64;  // samples from one frame to the next; frame k is at sample k * hop
  // Channels of inputs, by name; those that do not matter before the first block may be left out.
  std::map<std::string, int64_t> channels = {};

  // Throws ValueError if they are not given.
  int64_t ChannelsOf(const std::string& input) const;
};

// Frames at samples in [begin, begin + samples).
int64_t FramesIn(int64_t begin, int64_t samples, int64_t hop);

// The next `samples` samples of a stream, any number. Inputs at sample rate have that many; inputs at frame rate have
// the frames at these samples, perhaps none: [batch, 0, channels], or left out. All are float32.
struct StreamBlock {
  int64_t samples = 0;
  NamedTensors inputs;
};

class StreamingProcessor;

// One stream of one processor, which must outlive it. Each processor derives its own, with all that evolves.
class ProcessorState {
 public:
  virtual ~ProcessorState() = default;

 protected:
  // Takes a block whose inputs are all there; returns those samples of the signal that have become known, in order, at
  // least those that are due; undefined: none. `position`: samples taken before. May throw what ATen throws.
  virtual at::Tensor Advance(const StreamBlock& block, int64_t position) = 0;
  // What becomes known at the end of the input.
  virtual at::Tensor Drain() { return {}; }

 private:
  friend class StreamingProcessor;
  const StreamingProcessor* owner_ = nullptr;
  StreamLayout layout_;
  int64_t latency_ = 0;
  int64_t taken_ = 0;     // samples of input
  int64_t released_ = 0;  // samples of output
  bool finished_ = false;
  SampleQueue ready_;  // known, but not yet due
};

class StreamingProcessor : public Processor {
 public:
  // L: sample n of the signal comes out with the block that has sample n + L of the input, never earlier or later. A
  // function of configuration and layout alone. Errors: INVALID_ARGUMENT if the layout lacks channels that matter.
  absl::StatusOr<int64_t> LatencySamples(const StreamLayout& layout) const;
  // Length of the signal of so many samples.
  virtual int64_t OutputSamples(int64_t input_samples) const { return input_samples; }

  // The start of a stream. `fixed` has the inputs of rate kFixed. Noise that is not given is drawn once: a stream has
  // one impulse response. Errors: those of GetControls(), and INVALID_ARGUMENT for the layout.
  absl::StatusOr<std::unique_ptr<ProcessorState>> MakeState(const StreamLayout& layout, const NamedTensors& fixed = {},
                                                            const ProcessorContext& context = {}) const;

  // Takes a block; returns what is due of the signal [batch, samples(, channels)]: after M samples of input, max(0, M -
  // L) in all. No gradients. Errors: NOT_FOUND for a missing input, INVALID_ARGUMENT for a shape, naming processor and
  // input, both before anything is taken; FAILED_PRECONDITION for a state of another processor, or one that is
  // finished.
  absl::StatusOr<at::Tensor> Process(const StreamBlock& block, ProcessorState& state) const;
  // The end of the input: returns the rest of the signal. The last frame is held.
  absl::StatusOr<at::Tensor> Finish(ProcessorState& state) const;

 protected:
  using Processor::Processor;

  struct Start {
    const StreamLayout& layout;
    const NamedTensors& fixed;
    const ProcessorContext& context;
  };
  // These may throw what ATen throws.
  virtual int64_t Latency(const StreamLayout&) const { return 0; }
  virtual std::unique_ptr<ProcessorState> NewState(const Start& start) const = 0;

 private:
  absl::Status CheckUsable(const ProcessorState& state) const;
  // The block with absent frames filled in.
  absl::StatusOr<StreamBlock> CheckBlock(const StreamBlock& block, const ProcessorState& state) const;
  static at::Tensor Release(int64_t count, ProcessorState& state);
};

}  // namespace ddsp
