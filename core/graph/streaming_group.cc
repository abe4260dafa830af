#include "core/graph/streaming_group.h"

#include <algorithm>
#include <map>
#include <optional>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/graph/validated_graph.h"
#include "core/processors/noise_source.h"
#include "core/processors/processor_factory.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr char kSignal[] = "/signal";
constexpr char kControls[] = "/controls/";

bool AllAtFrameRate(const Processor& processor) {
  return std::all_of(processor.inputs().begin(), processor.inputs().end(),
                     [](const Port& port) { return port.rate == PortRate::kFrames; });
}

}  // namespace

// Turns nodes into what can run, and collects what is wrong with them.
class StreamingGroup::Builder {
 public:
  Builder(const GraphSpec& spec, const StreamLayout& layout) : spec_(spec), layout_(layout) {}

  absl::StatusOr<StreamingGroup> Build() {
    group_.layout_ = layout_;
    for (const GraphNode& node : spec_.nodes) Add(node);
    if (problems_.empty()) return std::move(group_);
    return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
  }

 private:
  void Problem(const GraphNode& node, const std::string& what) {
    problems_.push_back(absl::StrCat("node ", node.name, ": ", what));
  }

  void Add(const GraphNode& spec) {
    Node node;
    index_[spec.name] = static_cast<int>(group_.nodes_.size());
    node.processor = Streaming(spec);
    if (node.processor != nullptr) {
      node.layout = {layout_.batch, layout_.hop};
      for (size_t i = 0; i < spec.inputs.size(); ++i) AddSource(spec, node.processor->inputs()[i], i, node);
      AddLatency(spec, node);
    }
    group_.nodes_.push_back(std::move(node));
  }

  // Null, and a problem, if the node's class cannot stream.
  std::shared_ptr<const StreamingProcessor> Streaming(const GraphNode& node) {
    auto made = MakeProcessor(node.class_name, node.name, node.args);
    if (made.ok()) {
      const std::shared_ptr<const Processor> processor = *std::move(made);
      if (auto streaming = std::dynamic_pointer_cast<const StreamingProcessor>(processor)) return streaming;
    }
    Problem(node, absl::StrCat("a ", node.class_name, " with these arguments cannot stream"));
    return nullptr;
  }

  void AddSource(const GraphNode& spec, const Port& port, size_t i, Node& node) {
    const std::string key = BareKey(spec.inputs[i]);
    const auto owner = index_.find(key.substr(0, key.find('/')));
    if (owner == index_.end()) {  // validated: no node has the name of a graph input
      AddGraphInput(spec, key, port, node);
      return;
    }
    Node& from = group_.nodes_[owner->second];
    if (from.processor == nullptr) return;  // a problem of that node
    if (key.ends_with(kSignal)) {
      if (port.rate != PortRate::kSamples || port.channels != kNoChannelAxis) {
        Problem(spec, absl::StrCat("input '", key, "': ", port.name, " cannot be a signal that is still being made"));
      }
      node.sources.push_back({Source::Kind::kSignal, "", owner->second});
      return;
    }
    const std::string control = key.substr(key.find(kControls) + sizeof(kControls) - 1);
    if (port.rate != PortRate::kFrames || !AllAtFrameRate(*from.processor)) {
      Problem(spec, absl::StrCat("input '", key, "' has no value for every frame while the stream runs"));
    }
    const auto channels = from.layout.channels.find(control);
    if (channels != from.layout.channels.end()) node.layout.channels[port.name] = channels->second;
    from.gives_controls = true;
    node.sources.push_back({Source::Kind::kControl, control, owner->second});
  }

  void AddGraphInput(const GraphNode& spec, const std::string& key, const Port& port, Node& node) {
    const auto channels = layout_.channels.find(key);
    if (channels != layout_.channels.end()) node.layout.channels[port.name] = channels->second;
    if (port.rate != PortRate::kFixed && group_.inputs_.emplace(key, port.rate).first->second != port.rate) {
      Problem(spec, absl::StrCat("input '", key, "' is at frame rate for one node and at sample rate for another"));
    }
    node.sources.push_back({Source::Kind::kGraphInput, key});
  }

  // Latency and length of what the node makes, from those of its signals.
  void AddLatency(const GraphNode& spec, Node& node) {
    constexpr int64_t kLong = int64_t{1} << 40;
    std::optional<int64_t> length;
    int64_t begin = 0;
    for (size_t i = 0; i < node.sources.size(); ++i) {
      if (node.processor->inputs()[i].rate != PortRate::kSamples) continue;
      const Source& source = node.sources[i];
      const bool signal = source.kind == Source::Kind::kSignal;
      const int64_t port_length = signal ? lengths_[source.node] : kLong;
      if (length && *length != port_length) Problem(spec, "its signals differ in length");
      length = port_length;
      if (signal) begin = std::max(begin, group_.nodes_[source.node].latency);
    }
    const auto own = node.processor->LatencySamples(node.layout);
    if (!own.ok()) Problem(spec, std::string(own.status().message()));
    node.latency = begin + own.value_or(0);
    lengths_[index_[spec.name]] = node.processor->OutputSamples(length.value_or(kLong));
  }

  const GraphSpec& spec_;
  const StreamLayout& layout_;
  StreamingGroup group_;
  std::map<std::string, int> index_;
  std::map<int, int64_t> lengths_;  // of an input of 2^40 samples
  std::vector<std::string> problems_;
};

absl::StatusOr<StreamingGroup> StreamingGroup::Create(const GraphSpec& spec, const StreamLayout& layout) {
  RETURN_IF_ERROR(ValidateGraphSpec(spec).status());
  return Builder(spec, layout).Build();
}

int64_t StreamingGroup::latency_samples() const { return nodes_.back().latency; }

int64_t StreamingGroup::OutputSamples(int64_t input_samples) const {
  std::vector<int64_t> lengths;
  for (const Node& node : nodes_) {
    int64_t length = input_samples;
    for (const Source& source : node.sources) {
      if (source.kind == Source::Kind::kSignal) length = lengths[source.node];
    }
    lengths.push_back(node.processor->OutputSamples(length));
  }
  return lengths.back();
}

absl::StatusOr<std::unique_ptr<StreamingGroup::State>> StreamingGroup::MakeState(const NamedTensors& fixed,
                                                                                 const Context& context) const {
  auto state = absl::WrapUnique(new State);
  int64_t draws = 0;
  for (const Node& node : nodes_) {
    const StreamingProcessor& processor = *node.processor;
    ProcessorContext own;
    if (processor.randomness() == Randomness::kDrawsNoise) own.seed = SeedOfDraw(context.seed, draws++);
    for (const ParameterSpec& parameter : processor.parameters()) {
      const Tensor value = Optional(context.parameters, absl::StrCat(processor.name(), "/", parameter.name));
      if (value.defined()) own.parameters[parameter.name] = value;
    }
    NamedTensors arguments;
    for (size_t i = 0; i < node.sources.size(); ++i) {
      const Port& port = processor.inputs()[i];
      if (port.rate == PortRate::kFixed) arguments[port.name] = Optional(fixed, node.sources[i].name);
    }
    State::NodeState node_state;
    ASSIGN_OR_RETURN(node_state.processor, processor.MakeState(node.layout, arguments, own));
    node_state.waiting.resize(node.sources.size());
    state->nodes_.push_back(std::move(node_state));
  }
  return state;
}

absl::Status StreamingGroup::CheckInputs(const StreamBlock& block, const State& state) const {
  for (const auto& [name, rate] : inputs_) {
    const bool frames = rate == PortRate::kFrames;
    const int64_t steps = frames ? FramesIn(state.position_, block.samples, layout_.hop) : block.samples;
    const Tensor given = Optional(block.inputs, name);
    if (!given.defined()) {
      if (steps > 0) return absl::NotFoundError(absl::StrCat("graph input '", name, "' is missing"));
    } else if (given.dim() < 2 || given.size(0) != layout_.batch || given.size(1) != steps) {
      return absl::InvalidArgumentError(absl::StrCat("graph input '", name, "' has shape [",
                                                     absl::StrJoin(given.sizes(), ", "), "], expected [", layout_.batch,
                                                     ", ", steps, ", ...]"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<at::Tensor> StreamingGroup::Process(const StreamBlock& block, State& state) const {
  RETURN_IF_ERROR(CheckInputs(block, state));
  state.position_ += block.samples;
  return Step(block, Stage::kRunning, state);
}

absl::StatusOr<at::Tensor> StreamingGroup::Finish(State& state) const { return Step({}, Stage::kLast, state); }

void StreamingGroup::State::NodeState::Gather(const Node& node, const StreamBlock& block, const Made& made) {
  for (size_t i = 0; i < node.sources.size(); ++i) {
    const Source& source = node.sources[i];
    switch (source.kind) {
      case Source::Kind::kGraphInput:
        waiting[i].Push(Optional(block.inputs, source.name));
        break;
      case Source::Kind::kSignal:
        waiting[i].Push(made.signals[source.node]);
        break;
      case Source::Kind::kControl:
        waiting[i].Push(Optional(made.controls[source.node], source.name));
        break;
    }
  }
}

StreamBlock StreamingGroup::State::NodeState::Take(const Node& node, int64_t samples) {
  const auto& ports = node.processor->inputs();
  std::optional<int64_t> common;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (ports[i].rate == PortRate::kSamples) common = std::min(common.value_or(INT64_MAX), waiting[i].size());
  }
  StreamBlock block;
  block.samples = common.value_or(samples);
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (ports[i].rate == PortRate::kFixed) continue;
    const bool frames = ports[i].rate == PortRate::kFrames;
    const int64_t due = frames ? FramesIn(position, block.samples, node.layout.hop) : block.samples;
    const Tensor values = waiting[i].Pop(due);
    if (values.defined()) block.inputs[ports[i].name] = values;
  }
  position += block.samples;
  return block;
}

absl::StatusOr<at::Tensor> StreamingGroup::Step(const StreamBlock& block, Stage stage, State& state) const {
  Made made;
  made.controls.resize(nodes_.size());
  for (size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    State::NodeState& own = state.nodes_[n];
    const bool new_frames = FramesIn(own.position, block.samples, layout_.hop) > 0;
    own.Gather(node, block, made);
    const StreamBlock taken = own.Take(node, block.samples);
    if (node.gives_controls && new_frames) {
      ASSIGN_OR_RETURN(made.controls[n], node.processor->GetControls(taken.inputs));
    }
    ASSIGN_OR_RETURN(Tensor signal, node.processor->Process(taken, *own.processor));
    if (stage == Stage::kLast) {
      ASSIGN_OR_RETURN(const Tensor rest, node.processor->Finish(*own.processor));
      signal = at::cat({signal, rest}, 1);
    }
    made.signals.push_back(signal);
  }
  return made.signals.back();
}

}  // namespace ddsp
