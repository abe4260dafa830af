#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/command.h"
#include "client/cli/graph_file.h"
#include "client/flags/server_flags.h"
#include "client/sdk/unary_calls.h"
#include "core/base/status_macros.h"
#include "core/graph/proto_graph.h"

namespace ddsp::client {
namespace {

struct RunOptions {
  ServerAddress server;
  std::string graph, input, output, parameters, wav;
  GinOptions gin;
  uint64_t seed = 0;
  int sample_rate = 0;
  bool all = false;
};

// That of the graph's synthesisers, 16 kHz if they do not say.
int SampleRateOf(const GraphSpec& spec) {
  for (const GraphNode& node : spec.nodes) {
    const auto rate = node.args.find("sample_rate");
    if (rate == node.args.end()) continue;
    if (const auto* integer = std::get_if<int64_t>(&rate->second)) return static_cast<int>(*integer);
    if (const auto* number = std::get_if<double>(&rate->second)) return static_cast<int>(*number);
  }
  return 16000;
}

void Summarize(const RunOptions& options, const FloatArrays& results) {
  std::cout << options.graph << " -> " << options.output << ": " << results.size() << " arrays\n";
  for (const auto& [name, array] : results) {
    std::cout << "  " << name << " [" << absl::StrJoin(array.shape, ", ") << "]\n";
  }
}

absl::StatusOr<FloatArrays> RunInProcess(const GraphSpec& spec, const GraphRunner::Request& request) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphRunner> runner, GraphRunner::Create(spec));
  return runner->Run(request);
}

void AddTensors(const FloatArrays& arrays, google::protobuf::Map<std::string, v1::Tensor>* tensors) {
  for (const auto& [name, array] : arrays) {
    v1::Tensor& tensor = (*tensors)[name];
    tensor.mutable_shape()->Add(array.shape.begin(), array.shape.end());
    tensor.mutable_values()->Add(array.values.begin(), array.values.end());
  }
}

absl::StatusOr<FloatArrays> RunRemotely(const GraphSpec& spec, const GraphRunner::Request& request,
                                        const ServerAddress& server) {
  v1::RunGraphRequest message;
  *message.mutable_spec() = GraphToProto(spec);
  // Others of the file would only be carried.
  FloatArrays inputs;
  for (const std::string& name : spec.inputs) {
    if (const auto input = request.inputs.find(name); input != request.inputs.end()) inputs.insert(*input);
  }
  AddTensors(inputs, message.mutable_inputs());
  AddTensors(request.parameters, message.mutable_parameters());
  message.set_seed(request.seed);
  message.set_results(request.results == GraphResults::kAll ? v1::GRAPH_RESULTS_ALL : v1::GRAPH_RESULTS_OUTPUT);
  ASSIGN_OR_RETURN(const v1::RunGraphResponse response, RunGraph(server, message));
  FloatArrays results;
  for (const auto& [name, tensor] : response.results()) {
    results[name] = {{tensor.shape().begin(), tensor.shape().end()}, {tensor.values().begin(), tensor.values().end()}};
  }
  return results;
}

absl::Status Run(const RunOptions& options) {
  ASSIGN_OR_RETURN(const GraphSpec spec, ReadGraph(options.graph, options.gin));
  GraphRunner::Request request;
  request.seed = options.seed;
  request.results = options.all ? GraphResults::kAll : GraphResults::kOutput;
  ASSIGN_OR_RETURN(request.inputs, ReadArrays(options.input));
  if (!options.parameters.empty()) {
    ASSIGN_OR_RETURN(request.parameters, ReadArrays(options.parameters));
  }
  ASSIGN_OR_RETURN(const FloatArrays results, options.server.empty()
                                                  ? RunInProcess(spec, request)
                                                  : RunRemotely(spec, request, options.server));
  RETURN_IF_ERROR(WriteArrays(options.output, results));
  if (!options.wav.empty()) {
    const auto signal = results.find("out/signal");
    if (signal == results.end()) return absl::InvalidArgumentError("the graph's last node makes no signal for --wav");
    const int rate = options.sample_rate > 0 ? options.sample_rate : SampleRateOf(spec);
    RETURN_IF_ERROR(WriteSignal(options.wav, signal->second, rate));
  }
  Summarize(options, results);
  return absl::OkStatus();
}

struct ShowOptions {
  std::string graph;
  GinOptions gin;
  bool dot = false;
};

absl::StatusOr<std::unique_ptr<GraphRunner>> Load(const ShowOptions& options) {
  ASSIGN_OR_RETURN(const GraphSpec spec, ReadGraph(options.graph, options.gin));
  return GraphRunner::Create(spec);
}

absl::Status Check(const ShowOptions& options) {
  RETURN_IF_ERROR(Load(options).status());
  std::cout << options.graph << ": ok\n";
  return absl::OkStatus();
}

absl::Status Show(const ShowOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphRunner> runner, Load(options));
  std::cout << (options.dot ? runner->Draw() : runner->Print());
  return absl::OkStatus();
}

void AddGraph(CLI::App& app, std::string* graph, GinOptions* gin) {
  app.add_option("GRAPH", *graph, "Graph: .gin with a ProcessorGroup.dag, or .textproto")->required();
  AddGinOptions(app, gin);
}

}  // namespace

Action DeclareGraphRun(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  AddGraph(app, &options->graph, &options->gin);
  app.add_option("--in", options->input, "Controls: safetensors with an array for each graph input")->required();
  app.add_option("--out", options->output, "Results: safetensors, out/signal and out/controls/...")->required();
  app.add_flag("--all", options->all, "Also write every intermediate: harmonic/controls/f0_hz, ...");
  app.add_option("--parameters", options->parameters,
                 "Trained parameters: safetensors, reverb/ir, ...; fresh ones by default");
  app.add_option("--seed", options->seed, "Of noise and fresh parameters: the same seed gives the same samples")
      ->capture_default_str();
  AddServerFlags(app, &options->server, "HOST:PORT of a ddsp-server that runs it instead of this process");
  CLI::Option* wav = app.add_option("--wav", options->wav, "Also write the signal as WAV, a file for each example");
  app.add_option("--sample-rate", options->sample_rate, "Of the WAV file in Hz; the graph's by default")
      ->check(CLI::Range(1, 1000000))
      ->needs(wav);
  return [options] { return Run(*options); };
}

Action DeclareGraphCheck(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  AddGraph(app, &options->graph, &options->gin);
  return [options] { return Check(*options); };
}

Action DeclareGraphShow(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  AddGraph(app, &options->graph, &options->gin);
  app.add_flag("--dot", options->dot, "As a drawing for Graphviz");
  return [options] { return Show(*options); };
}

}  // namespace ddsp::client
