// Runs a graph of streaming processors block by block.
//
// A node's stream begins when the latest of its signals does: what comes early waits, so that branches of different
// latency meet sample by sample, and frames wait for the samples that they belong to. The latency of the graph is that
// of its longest path.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph_spec.h"
#include "core/processors/streaming_processor.h"

namespace ddsp {

// Immutable, hence safe to share.
class StreamingGroup {
 public:
  class State;

  // `layout.channels` are those of graph inputs. Errors: INVALID_ARGUMENT with everything that is wrong, each with its
  // node's name: what ValidateGraphSpec() finds; a node that cannot stream; a result that a stream does not have while
  // it runs (a whole signal as an impulse response, controls at audio rate); signals of different length.
  static absl::StatusOr<StreamingGroup> Create(const GraphSpec& spec, const StreamLayout& layout);

  // As for a StreamingProcessor: sample n of the last node's signal comes out with the block that has sample n + L of
  // the graph's inputs.
  int64_t latency_samples() const;
  int64_t OutputSamples(int64_t input_samples) const;

  struct Context {
    NamedTensors parameters;  // "reverb/magnitudes", ...
    uint64_t seed = 0;        // of the noise; as ProcessorGroup's
  };
  // The start of a stream. `fixed` has the graph inputs that stay the same, such as impulse responses. Errors: those of
  // the nodes, named.
  absl::StatusOr<std::unique_ptr<State>> MakeState(const NamedTensors& fixed, const Context& context) const;

  // As StreamingProcessor::Process() and Finish(), with graph inputs. Errors: NOT_FOUND and INVALID_ARGUMENT for graph
  // inputs, before anything is taken; those of the nodes, after which the stream cannot go on.
  absl::StatusOr<at::Tensor> Process(const StreamBlock& block, State& state) const;
  absl::StatusOr<at::Tensor> Finish(State& state) const;

 private:
  // Where the values of one port come from.
  struct Source {
    enum class Kind { kGraphInput, kSignal, kControl } kind;
    std::string name;  // of the graph input or control
    int node = -1;     // of the signal or control
  };
  struct Node {
    std::shared_ptr<const StreamingProcessor> processor;
    std::vector<Source> sources;  // of the ports, in order
    StreamLayout layout;
    int64_t latency = 0;         // from the graph's inputs to this node's signal
    bool gives_controls = false;  // to another node
  };
  // What the nodes have made of the present block, by node.
  struct Made {
    std::vector<at::Tensor> signals;
    std::vector<NamedTensors> controls;
  };
  enum class Stage { kRunning, kLast };
  class Builder;

  StreamingGroup() = default;
  absl::Status CheckInputs(const StreamBlock& block, const State& state) const;
  absl::StatusOr<at::Tensor> Step(const StreamBlock& block, Stage stage, State& state) const;

  StreamLayout layout_;
  std::map<std::string, PortRate> inputs_;  // those that come in blocks
  std::vector<Node> nodes_;
};

// The queues between nodes and the nodes' own states.
class StreamingGroup::State {
 public:
  State(State&&) = default;

 private:
  friend class StreamingGroup;
  State() = default;
  struct NodeState {
    std::unique_ptr<ProcessorState> processor;
    std::vector<SampleQueue> waiting;  // by port
    int64_t position = 0;              // samples that the node has taken

    // Appends what has come for the ports.
    void Gather(const Node& node, const StreamBlock& block, const Made& made);
    // Takes as much as all signals have; `samples` if there are none.
    StreamBlock Take(const Node& node, int64_t samples);
  };
  std::vector<NodeState> nodes_;
  int64_t position_ = 0;  // of the graph's inputs
};

}  // namespace ddsp
