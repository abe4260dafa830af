// No graph of a stranger and no arrays for it may crash what runs it. An input is a RunGraphRequest as textproto.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/graph/graph_runner.h"
#include "core/graph/module_tables.h"
#include "core/graph/proto_graph.h"
#include "core/processors/processor_factory.h"
#include "ddsp/v1/graph.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "tests/fuzz/message_mutator.h"

namespace ddsp {
namespace {

using Node = v1::GraphSpec::Node;

// A hundredth of a server's, so that a run takes milliseconds.
constexpr GraphLimits kLimits = {.max_nodes = 8, .max_argument = 4096, .max_elements = int64_t{1} << 19};

constexpr const char* kNumbers[] = {"ch",
                                    "n_samples",
                                    "sample_rate",
                                    "z_dims",
                                    "window_size",
                                    "rnn_channels",
                                    "epsilon",
                                    "alpha",
                                    "weight",
                                    "initial_bias",
                                    "z_time_steps",
                                    "vocab_size",
                                    "stride",
                                    "reverb_length",
                                    "n_frames",
                                    "num_heads",
                                    "n_harmonics",
                                    "n_filter_banks",
                                    "n_dims",
                                    "kernel_size",
                                    "gru_dim",
                                    "groups",
                                    "frame_size",
                                    "f0_depth",
                                    "dilation",
                                    "axis",
                                    "delta_time_weight",
                                    "depth_ms",
                                    "center_ms",
                                    "scale_a",
                                    "threshold",
                                    "fc_stack_layers",
                                    "layers",
                                    "layers_per_stack",
                                    "size",
                                    "stacks",
                                    "dims",
                                    "filters",
                                    "k",
                                    "n",
                                    "n_out",
                                    "out_feat",
                                    "rnn_feat",
                                    "s",
                                    "units",
                                    "strides",
                                    "dilation_rate",
                                    "pool_size",
                                    "cropping",
                                    "padding",
                                    "net/ch",
                                    "layer/units",
                                    "softmin_temperature"};
constexpr const char* kTexts[] = {
    "rnn_type",      "resample_type", "norm_type",  "phase",         "padding",
    "net",           "merge_mode",    "loss_type",  "layer",         "gains",
    "freq_scale_fn", "delay_end",     "activation", "crop_location", "amp_resample_method",
    "one_hot_key",   "nonlinearity",  "layers/0",   "layers/1",      "spectral_fn"};
constexpr const char* kWords[] = {"gru",    "lstm",   "layer",          "instance",     "valid",  "same",
                                  "causal", "concat", "upstream",       "L1",           "cosine", "nn.DilatedConvStack",
                                  "nn.Fc",  "linear", "window",         "layers.Dense", "relu",   "layers.Conv1D",
                                  "front",  "cumsum", "angular_cumsum", "hold",         "wrap",   "sum"};
constexpr const char* kLists[] = {"fft_sizes", "filters",     "strides",  "target_shape", "dims",       "block_sizes",
                                  "axis",      "kernel_size", "cropping", "padding",      "noise_shape"};
constexpr const char* kFlags[] = {"conditional",  "trainable", "return_sequences", "center",
                                  "bidir",        "use_bias",  "add_dry",          "return_state",
                                  "go_backwards", "stateless", "shortcut",         "spectral_norm"};
constexpr const char* kArrays[] = {"x", "y", "f0_hz"};
constexpr const char* kInputs[] = {"x", "y", "f0_hz", "a/signal", "b/signal", "a", "b", "", "a/z", "inputs/x"};

std::vector<std::string> Classes() {
  std::vector<std::string> all;
  for (const auto& names : {ProcessorClasses(), LossClasses(), LayerClasses()})
    all.insert(all.end(), names.begin(), names.end());
  return all;
}

bool Parse(const std::string& text, v1::RunGraphRequest* request) {
  class Quiet : public google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  } quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  return parser.ParseFromString(text, request);
}

// Arguments under names that mean something, which a blind change would hardly find.
class GraphMutator {
 public:
  explicit GraphMutator(std::minstd_rand& random) : random_(random) {}

  void Apply(v1::RunGraphRequest* request) {
    auto* nodes = request->mutable_spec()->mutable_nodes();
    if (nodes->empty() || (nodes->size() < 4 && random_() % 8 == 0)) {
      nodes->Add()->set_name(nodes->size() == 1 ? "a" : "b");
      Change(nodes->Mutable(nodes->size() - 1), 0);
    }
    Change(nodes->Mutable(static_cast<int>(random_() % nodes->size())), random_() % 8);
    if (random_() % 2 == 0) SetInput(request);
  }

 private:
  template <size_t N>
  std::string Of(const char* const (&names)[N]) {
    return names[random_() % N];
  }

  void Change(Node* node, unsigned what) {
    static const auto& classes = *new std::vector<std::string>(Classes());
    switch (what) {
      case 0:
        node->set_type(classes[random_() % classes.size()]);
        node->clear_inputs();
        for (unsigned i = 1 + random_() % 4; i > 0; --i) node->add_inputs(Of(kInputs));
        break;
      case 1:
      case 2:
      case 3:
        (*node->mutable_numbers())[Of(kNumbers)] = static_cast<double>(random_() % 40);
        break;
      case 4:
        (*node->mutable_texts())[Of(kTexts)] = Of(kWords);
        break;
      case 5: {
        auto* values = (*node->mutable_lists())[Of(kLists)].mutable_values();
        values->Clear();
        for (unsigned i = random_() % 4; i > 0; --i) values->Add(static_cast<int>(random_() % 70) - 2);
        break;
      }
      case 6:
        (*node->mutable_flags())[Of(kFlags)] = random_() % 2 == 0;
        break;
      default:
        node->add_inputs(Of(kInputs));
    }
  }

  void SetInput(v1::RunGraphRequest* request) {
    v1::Tensor tensor;
    int64_t elements = 1;
    for (unsigned i = 1 + random_() % 3; i > 0; --i) {
      tensor.add_shape(i == 3 ? 1 : 1 + random_() % 12);
      elements *= tensor.shape().at(tensor.shape_size() - 1);
    }
    for (int64_t i = 0; i < elements; ++i) tensor.add_values(static_cast<float>(random_() % 1000) / 100.0f);
    (*request->mutable_inputs())[Of(kArrays)] = tensor;
  }

  std::minstd_rand& random_;
};

}  // namespace
}  // namespace ddsp

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  ddsp::v1::RunGraphRequest request;
  if (random() % 32 == 0 || !ddsp::Parse(std::string(reinterpret_cast<const char*>(data), size), &request))
    return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned i = 1 + random() % 4; i > 0; --i) {
    if (random() % 3 == 0) {
      ddsp::fuzz::Mutate(&request, random);
    } else {
      ddsp::GraphMutator(random).Apply(&request);
    }
  }
  std::string text;
  google::protobuf::TextFormat::PrintToString(request, &text);
  if (text.size() > max_size) return size;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ddsp::v1::RunGraphRequest request;
  if (!ddsp::Parse(std::string(reinterpret_cast<const char*>(data), size), &request)) return 0;
  const auto spec = ddsp::GraphFromProto(request.spec());
  if (!spec.ok()) return 0;
  const auto runner = ddsp::GraphRunner::Create(*spec, ddsp::kLimits);
  if (!runner.ok()) return 0;
  ddsp::GraphRunner::Request call;
  for (const auto& [name, tensor] : request.inputs())
    call.inputs[name] = {{tensor.shape().begin(), tensor.shape().end()},
                         {tensor.values().begin(), tensor.values().end()}};
  for (const auto& [name, tensor] : request.parameters())
    call.parameters[name] = {{tensor.shape().begin(), tensor.shape().end()},
                             {tensor.values().begin(), tensor.values().end()}};
  call.seed = request.seed();
  call.results = ddsp::GraphResults::kAll;
  (*runner)->Run(call).status().IgnoreError();
  return 0;
}
