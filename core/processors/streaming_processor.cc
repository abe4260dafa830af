#include "core/processors/streaming_processor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

std::string Shape(at::IntArrayRef sizes) { return absl::StrCat("[", absl::StrJoin(sizes, ", "), "]"); }

// [batch, steps(, channels)] for a port at sample or frame rate.
absl::Status CheckShape(const Port& port, const Tensor& x, int64_t batch, int64_t steps) {
  const bool axes = x.dim() == (port.channels == kNoChannelAxis ? 2 : 3);
  const bool channels = port.channels <= 0 || (axes && x.size(2) == port.channels);
  if (axes && channels && x.size(0) == batch && x.size(1) == steps) {
    if (x.scalar_type() == at::kFloat) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(port.name, " is of type ", c10::toString(x.scalar_type()),
                                                   ", expected float32"));
  }
  const std::string last = port.channels == kNoChannelAxis ? ""
                           : port.channels == kAnyChannels ? ", channels"
                                                           : absl::StrCat(", ", port.channels);
  return absl::InvalidArgumentError(
      absl::StrCat(port.name, " has shape ", Shape(x.sizes()), ", expected [", batch, ", ", steps, last, "]"));
}

}  // namespace

int64_t StreamLayout::ChannelsOf(const std::string& input) const {
  const auto it = channels.find(input);
  DDSP_CHECK_ARGUMENT(it != channels.end(), "channels of ", input, " are not given, expected in the stream's layout");
  return it->second;
}

int64_t FramesIn(int64_t begin, int64_t samples, int64_t hop) {
  const auto before = [&](int64_t sample) { return (sample + hop - 1) / hop; };
  return before(begin + samples) - before(begin);
}

absl::StatusOr<int64_t> StreamingProcessor::LatencySamples(const StreamLayout& layout) const {
  auto latency = CatchTorch([&] { return Latency(layout); });
  if (!latency.ok()) return WithName(name(), latency.status());
  return latency;
}

absl::StatusOr<std::unique_ptr<ProcessorState>> StreamingProcessor::MakeState(const StreamLayout& layout,
                                                                              const NamedTensors& fixed,
                                                                              const ProcessorContext& context) const {
  if (layout.batch < 1 || layout.hop < 1) {
    return absl::InvalidArgumentError(absl::StrCat(name(), ": batch is ", layout.batch, " and hop ", layout.hop,
                                                   ", expected positive numbers"));
  }
  for (const Port& port : inputs()) {
    if (port.rate == PortRate::kFixed && port.required) RETURN_IF_ERROR(CheckPresent(fixed, port.name, name()));
  }
  for (const ParameterSpec& parameter : parameters()) {
    RETURN_IF_ERROR(CheckPresent(context.parameters, parameter.name, name()));
  }
  ASSIGN_OR_RETURN(const int64_t latency, LatencySamples(layout));
  auto made = CatchTorch([&] {
    const at::NoGradGuard no_gradients;
    return NewState({layout, fixed, context});
  });
  if (!made.ok()) return WithName(name(), made.status());
  ProcessorState& state = **made;
  state.owner_ = this;
  state.layout_ = layout;
  state.latency_ = latency;
  return made;
}

absl::Status StreamingProcessor::CheckUsable(const ProcessorState& state) const {
  if (state.owner_ != this) return absl::FailedPreconditionError(name() + ": the state is another processor's");
  if (state.finished_) return absl::FailedPreconditionError(name() + ": the stream is finished");
  return absl::OkStatus();
}

absl::StatusOr<StreamBlock> StreamingProcessor::CheckBlock(const StreamBlock& block,
                                                           const ProcessorState& state) const {
  if (block.samples < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name(), ": samples is ", block.samples, ", expected no negative number"));
  }
  StreamBlock whole = block;
  const StreamLayout& layout = state.layout_;
  for (const Port& port : inputs()) {
    if (port.rate == PortRate::kFixed) continue;
    const bool frames = port.rate == PortRate::kFrames;
    const int64_t steps = frames ? FramesIn(state.taken_, block.samples, layout.hop) : block.samples;
    if (frames && steps == 0 && !Optional(block.inputs, port.name).defined()) {
      whole.inputs[port.name] = at::empty({layout.batch, 0, std::max<int64_t>(port.channels, 1)});
      continue;
    }
    RETURN_IF_ERROR(CheckPresent(block.inputs, port.name, name()));
    Port expected = port;
    const auto channels = layout.channels.find(port.name);
    if (channels != layout.channels.end() && port.channels == kAnyChannels) expected.channels = channels->second;
    RETURN_IF_ERROR(WithName(name(), CheckShape(expected, block.inputs.at(port.name), layout.batch, steps)));
  }
  return whole;
}

absl::StatusOr<at::Tensor> StreamingProcessor::Process(const StreamBlock& block, ProcessorState& state) const {
  RETURN_IF_ERROR(CheckUsable(state));
  ASSIGN_OR_RETURN(const StreamBlock whole, CheckBlock(block, state));
  auto known = CatchTorch([&] {
    const at::NoGradGuard no_gradients;
    return state.Advance(whole, state.taken_);
  });
  if (!known.ok()) return WithName(name(), known.status());
  state.ready_.Push(*known);
  state.taken_ += block.samples;
  const int64_t due = std::max<int64_t>(0, state.taken_ - state.latency_) - state.released_;
  return Release(due, state);
}

absl::StatusOr<at::Tensor> StreamingProcessor::Finish(ProcessorState& state) const {
  RETURN_IF_ERROR(CheckUsable(state));
  state.finished_ = true;
  auto rest = CatchTorch([&] {
    const at::NoGradGuard no_gradients;
    return state.Drain();
  });
  if (!rest.ok()) return WithName(name(), rest.status());
  state.ready_.Push(*rest);
  return Release(OutputSamples(state.taken_) - state.released_, state);
}

at::Tensor StreamingProcessor::Release(int64_t count, ProcessorState& state) {
  DDSP_CHECK(count <= state.ready_.size(), "a processor keeps its declared latency");
  state.released_ += count;
  const Tensor samples = state.ready_.Pop(count);
  return samples.defined() ? samples : at::empty({state.layout_.batch, 0});
}

}  // namespace ddsp
