#include "core/streaming/stage_graph.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

constexpr char kSignal[] = "/signal";

}  // namespace

absl::StatusOr<StageGraph> StageGraph::Compile(const Voice& voice, const FrameLayout& layout) {
  StageGraph graph;
  graph.hop_size_ = voice.spec.hop_size();
  graph.decoder_hop_ = voice.decoder_hop();
  std::map<std::string, int> index;
  std::vector<int64_t> tails;
  for (const auto& node : voice.spec.graph().nodes()) {
    Node compiled;
    compiled.name = node.name();
    int64_t tail = 0;
    for (const std::string& input : node.inputs()) {
      if (!absl::EndsWith(input, kSignal)) continue;  // a control; its stage looks it up
      const auto found = index.find(std::string(absl::StripSuffix(input, kSignal)));
      if (found == index.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("node '", node.name(), "': no node before it gives '", input, "'"));
      }
      compiled.signals.push_back(found->second);
      tail = std::max(tail, tails[found->second]);
    }
    ASSIGN_OR_RETURN(compiled.stage, MakeStreamStage({voice, node, layout}));
    if (compiled.stage->is_effect() && static_cast<int>(compiled.signals.size()) != node.inputs_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("node '", node.name(), "': its inputs must be signals ('node/signal')"));
    }
    compiled.memory_begin = graph.memory_size_;
    graph.memory_size_ += compiled.stage->memory_size();
    compiled.history_begin = graph.history_size_;
    graph.history_size_ += compiled.stage->history_size();
    graph.scratch_size_ = std::max(graph.scratch_size_, compiled.stage->scratch_size());
    tails.push_back(tail + compiled.stage->tail());
    if (!index.emplace(node.name(), static_cast<int>(graph.nodes_.size())).second) {
      return absl::InvalidArgumentError(absl::StrCat("node '", node.name(), "': the name is taken"));
    }
    graph.nodes_.push_back(std::move(compiled));
  }
  graph.tail_ = tails.empty() ? 0 : tails.back();
  return graph;
}

std::vector<StatePart> StageGraph::state_parts() const {
  std::vector<StatePart> parts;
  for (const Node& node : nodes_) {
    parts.push_back({node.name, static_cast<int64_t>(node.stage->memory_size() * sizeof(float) + sizeof(double))});
  }
  return parts;
}

StageGraph::Memory StageGraph::MakeMemory(int slots) const {
  return {std::vector<double>(slots * nodes_.size()), ZeroedArray<float>(slots * memory_size_),
          std::vector<std::vector<float>>(slots)};
}

StageGraph::Workspace StageGraph::MakeWorkspace() const {
  Workspace workspace{std::vector<float>(nodes_.size() * hop_size_), std::vector<float>(scratch_size_), {}};
  workspace.inputs.reserve(nodes_.size());
  return workspace;
}

void StageGraph::Reset(int slot, Memory& memory) const {
  std::fill_n(memory.phases.begin() + slot * nodes_.size(), nodes_.size(), 0.0);
  std::fill_n(memory.floats.data() + slot * memory_size_, memory_size_, 0.0f);
  memory.histories[slot] = {};
}

void StageGraph::KeepHistory(int slot, Memory& memory) const { memory.histories[slot].assign(history_size_, 0.0f); }

StageMemory StageGraph::View(int slot, size_t node, Memory& memory) const {
  const StreamStage& stage = *nodes_[node].stage;
  float* floats = memory.floats.data() + slot * memory_size_ + nodes_[node].memory_begin;
  StageMemory view{memory.phases[slot * nodes_.size() + node], absl::MakeSpan(floats, stage.memory_size()), {}};
  if (std::vector<float>& history = memory.histories[slot]; !history.empty()) {
    view.history = absl::MakeSpan(history).subspan(nodes_[node].history_begin, stage.history_size());
  }
  return view;
}

void StageGraph::Save(int slot, Memory& memory, StateWriter& writer) const {
  for (size_t i = 0; i < nodes_.size(); ++i) nodes_[i].stage->Save(View(slot, i, memory), writer);
}

void StageGraph::Restore(int slot, StateReader& reader, Memory& memory) const {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    StageMemory view = View(slot, i, memory);
    nodes_[i].stage->Restore(reader, view);
    memory.phases[slot * nodes_.size() + i] = view.phase;
  }
}

void StageGraph::Step(int slot, uint64_t seed, absl::Span<const ControlStep> frames, float* output, Memory& memory,
                      Workspace& workspace) const {
  const bool starts = frames.front().frame_index == 0;
  StageStep step;
  step.seed = seed;
  step.scratch = workspace.scratch.data();
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    StageMemory view = View(slot, i, memory);
    step.output = i + 1 == nodes_.size() ? output : &workspace.signals[i * hop_size_];
    if (!node.stage->is_effect()) {
      for (const ControlStep& control : frames) {
        step.control = control;
        node.stage->Step(step, view);
        step.output += decoder_hop_;
      }
    } else if (!starts) {
      workspace.inputs.clear();
      for (const int signal : node.signals) workspace.inputs.push_back(&workspace.signals[signal * hop_size_]);
      step.signals = workspace.inputs;
      node.stage->Step(step, view);
    }
    memory.phases[slot * nodes_.size() + i] = view.phase;
  }
}

}  // namespace ddsp
