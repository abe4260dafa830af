#include "core/importer/model_config.h"

#include <map>
#include <optional>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp::importer {
namespace {

using Shape = std::vector<int64_t>;

std::string LastName(absl::string_view selector) {
  return std::string(selector.substr(selector.rfind('.') == absl::string_view::npos ? 0 : selector.rfind('.') + 1));
}

// "FilteredNoise" to "filtered_noise": what a processor is called by default.
std::string DefaultName(absl::string_view class_name) {
  std::string name;
  for (const char c : class_name) {
    if (absl::ascii_isupper(c) && !name.empty()) name += '_';
    name += absl::ascii_tolower(c);
  }
  return name;
}

// The parameters of one configurable; what is of another type than asked for is noted.
class Arguments {
 public:
  Arguments(std::string owner, gin::Parameters values) : owner_(std::move(owner)), values_(std::move(values)) {}

  bool Has(const std::string& name) const { return values_.contains(name); }
  int64_t Int(const std::string& name, int64_t absent) { return Get<int64_t>(name, absent, "a whole number"); }
  bool Flag(const std::string& name, bool absent) { return Get<bool>(name, absent, "True or False"); }
  std::string Text(const std::string& name, const std::string& absent) {
    return Get<std::string>(name, absent, "a text");
  }
  double Number(const std::string& name, double absent) {
    const auto it = values_.find(name);
    if (it != values_.end() && it->second.As<int64_t>() != nullptr)
      return static_cast<double>(*it->second.As<int64_t>());
    return Get<double>(name, absent, "a number");
  }
  // The class that a reference names; empty for None or nothing.
  std::optional<gin::Reference> Class(const std::string& name) {
    const auto it = values_.find(name);
    if (it == values_.end() || it->second.is_none()) return std::nullopt;
    if (const auto* reference = it->second.As<gin::Reference>()) return *reference;
    Note(it->second, name, "a class");
    return std::nullopt;
  }
  // The items of a list or tuple; null if there is none.
  const std::vector<gin::Value>* Items(const std::string& name) {
    const auto it = values_.find(name);
    if (it == values_.end()) return nullptr;
    if (it->second.items() == nullptr) Note(it->second, name, "a list");
    return it->second.items();
  }
  void Note(const gin::Value& value, const std::string& name, const char* expected) {
    problems_.push_back(absl::StrCat(ToString(value.position()), ": ", owner_, ".", name, " is ", value.Describe(),
                                     ", expected ", expected));
  }
  absl::Status Finish() const {
    return problems_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
  }

 private:
  template <class T>
  T Get(const std::string& name, T absent, const char* expected) {
    const auto it = values_.find(name);
    if (it == values_.end()) return absent;
    if (const T* value = it->second.As<T>()) return *value;
    Note(it->second, name, expected);
    return absent;
  }

  const std::string owner_;
  const gin::Parameters values_;
  std::vector<std::string> problems_;
};

class ModelReader {
 public:
  explicit ModelReader(const gin::Config& config) : config_(config) {}

  absl::StatusOr<ModelConfig> Read() {
    ASSIGN_OR_RETURN(Arguments get_model, Of({"", "get_model"}));
    const gin::Reference model = get_model.Class("model").value_or(gin::Reference{"", "models.Autoencoder"});
    if (LastName(model.selector) != "Autoencoder") return Unknown("model", model);
    ASSIGN_OR_RETURN(Arguments parts, Of(model));
    const auto preprocessor = parts.Class("preprocessor"), encoder = parts.Class("encoder"),
               decoder = parts.Class("decoder"), group = parts.Class("processor_group");
    RETURN_IF_ERROR(parts.Finish());
    if (!decoder || !group || !preprocessor) {
      const char* missing = !decoder ? "decoder" : !group ? "processor_group" : "preprocessor";
      return absl::InvalidArgumentError(absl::StrCat("the configuration's ", model.selector, " has no ", missing));
    }
    RETURN_IF_ERROR(ReadGraph(*group));
    RETURN_IF_ERROR(ReadPreprocessor(*preprocessor));
    if (encoder) RETURN_IF_ERROR(ReadEncoder(*encoder));
    RETURN_IF_ERROR(ReadDecoder(*decoder));
    RETURN_IF_ERROR(CheckScaling());
    NameRecipe();
    return std::move(result_);
  }

 private:
  absl::StatusOr<Arguments> Of(const gin::Reference& reference) const {
    ASSIGN_OR_RETURN(gin::Parameters parameters, config_.ParametersOf(reference));
    return Arguments(LastName(reference.selector), std::move(parameters));
  }
  static absl::Status Unknown(absl::string_view what, const gin::Reference& reference) {
    return absl::UnimplementedError(absl::StrCat("the configuration's ", what, " is @", reference.selector,
                                                 ", whose variables are not known here"));
  }
  void Expect(std::string path, Shape shape) { result_.variables.push_back({std::move(path), std::move(shape)}); }
  void Obstacle(std::string why) { result_.obstacles.push_back(std::move(why)); }

  absl::Status ReadGraph(const gin::Reference& group);
  absl::Status ReadNode(const gin::Reference& module, v1::GraphSpec::Node* node);
  absl::Status ReadPreprocessor(const gin::Reference& reference);
  absl::Status ReadEncoder(const gin::Reference& reference);
  absl::Status ReadDecoder(const gin::Reference& reference);
  absl::Status CheckScaling();
  void ExpectStack(const std::string& path, int64_t inputs);
  void ExpectRnn(const std::string& path, int64_t inputs, int64_t units, const std::string& type);
  void NameRecipe();

  const gin::Config& config_;
  ModelConfig result_;
  int64_t n_samples_ = 64000;
  int64_t z_dims_ = 0;
};

absl::Status ModelReader::ReadGraph(const gin::Reference& group) {
  ASSIGN_OR_RETURN(Arguments arguments, Of(group));
  const std::vector<gin::Value>* dag = arguments.Items("dag");
  RETURN_IF_ERROR(arguments.Finish());
  if (dag == nullptr) return absl::InvalidArgumentError("the configuration's ProcessorGroup has no dag");
  for (const gin::Value& entry : *dag) {
    const std::vector<gin::Value>* parts = entry.items();
    const auto* module = parts != nullptr && parts->size() == 2 ? (*parts)[0].As<gin::Reference>() : nullptr;
    const std::vector<gin::Value>* keys = module != nullptr ? (*parts)[1].items() : nullptr;
    if (keys == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(ToString(entry.position()), ": ProcessorGroup.dag has ",
                                                     entry.Describe(), ", expected (@processor(), [keys])"));
    }
    v1::GraphSpec::Node* node = result_.graph.add_nodes();
    for (const gin::Value& key : *keys) {
      if (key.As<std::string>() == nullptr)
        return absl::InvalidArgumentError(absl::StrCat(ToString(key.position()), ": a key is ", key.Describe()));
      node->add_inputs(*key.As<std::string>());
    }
    RETURN_IF_ERROR(ReadNode(*module, node));
  }
  return absl::OkStatus();
}

absl::Status ModelReader::ReadNode(const gin::Reference& module, v1::GraphSpec::Node* node) {
  ASSIGN_OR_RETURN(Arguments arguments, Of(module));
  const std::string type = LastName(module.selector);
  node->set_type(type);
  node->set_name(arguments.Text("name", type.find("Reverb") != std::string::npos ? "reverb" : DefaultName(type)));
  auto& numbers = *node->mutable_numbers();
  const std::string variables = absl::StrCat("processor_group/", node->name(), "/");
  const auto scale = arguments.Class("scale_fn");
  if (scale && LastName(scale->selector) != "exp_sigmoid")
    Obstacle(absl::StrCat("node '", node->name(), "' has scale_fn @", scale->selector));
  if (type == "Harmonic") {
    result_.sample_rate = static_cast<int>(arguments.Int("sample_rate", 16000));
    n_samples_ = arguments.Int("n_samples", 64000);
    (*node->mutable_texts())["amp_resample_method"] = arguments.Text("amp_resample_method", "window");
    if (!arguments.Flag("normalize_below_nyquist", true))
      Obstacle(absl::StrCat("node '", node->name(), "' has normalize_below_nyquist = False"));
  } else if (type == "FilteredNoise") {
    numbers["window_size"] = static_cast<double>(arguments.Int("window_size", 257));
    numbers["initial_bias"] = arguments.Number("initial_bias", -5);
  } else if (type == "Reverb" || type == "FilteredNoiseReverb") {
    const int64_t length = arguments.Int("reverb_length", 48000);
    numbers["reverb_length"] = static_cast<double>(length);
    numbers["add_dry"] = arguments.Flag("add_dry", true) ? 1 : 0;
    if (!arguments.Flag("trainable", false)) Obstacle(absl::StrCat("node '", node->name(), "' is not trainable"));
    if (type == "Reverb") {
      Expect(variables + "ir", {length});
    } else {
      const int64_t frames = arguments.Int("n_frames", 1000), bands = arguments.Int("n_filter_banks", 16);
      Expect(variables + "magnitudes", {frames, bands});
      numbers["window_size"] = static_cast<double>(arguments.Int("window_size", 257));
      numbers["n_frames"] = static_cast<double>(frames);
      numbers["n_filter_banks"] = static_cast<double>(bands);
      numbers["initial_bias"] = arguments.Number("initial_bias", -3);
    }
  } else if (type == "ExpDecayReverb") {
    Expect(variables + "gain", {1});
    Expect(variables + "decay", {1});
    Obstacle(absl::StrCat("node '", node->name(), "' is an ExpDecayReverb"));
  } else if (type == "Crop") {
    numbers["frame_size"] = static_cast<double>(arguments.Int("frame_size", 0));
    (*node->mutable_texts())["crop_location"] = arguments.Text("crop_location", "back");
  } else if (type != "Add") {
    Obstacle(absl::StrCat("node '", node->name(), "' is a ", type));
  }
  return arguments.Finish();
}

absl::Status ModelReader::ReadPreprocessor(const gin::Reference& reference) {
  ASSIGN_OR_RETURN(Arguments arguments, Of(reference));
  result_.preprocessor = LastName(reference.selector);
  const bool online = result_.preprocessor == "OnlineF0PowerPreprocessor";
  if (!online && result_.preprocessor != "F0LoudnessPreprocessor" && result_.preprocessor != "F0PowerPreprocessor" &&
      result_.preprocessor != "DefaultPreprocessor") {
    Obstacle(absl::StrCat("its preprocessor is ", result_.preprocessor));
  }
  const int64_t steps = arguments.Int("time_steps", 1000);
  const int64_t from_steps = n_samples_ > 0 ? steps * result_.sample_rate / n_samples_ : 0;
  result_.frame_rate = static_cast<int>(arguments.Int("frame_rate", online ? 250 : from_steps));
  if (online) result_.power_frame_size = static_cast<int>(arguments.Int("frame_size", 1024));
  if (result_.preprocessor == "F0PowerPreprocessor")
    result_.power_frame_size = static_cast<int>(arguments.Int("frame_size", 64));
  // An operative configuration names every parameter that there was, so one without this was written before 2.0.0.
  const bool loudness = !online && result_.preprocessor != "F0PowerPreprocessor";
  if (loudness && !arguments.Has("compute_loudness")) result_.loudness = LoudnessDefinition::kMeanOfDb;
  if (online && arguments.Text("padding", "center") != "center")
    Obstacle(absl::StrCat("its features have padding '", arguments.Text("padding", ""), "'"));
  // Online features are of audio at 16 kHz, whatever the model's rate.
  const int rate = result_.sample_rate;
  if (rate != 16000 && (!online || rate < 8000 || rate > 48000))
    Obstacle(absl::StrCat("it plays at ", rate, " Hz, not 16000"));
  if (result_.frame_rate < 25 || result_.frame_rate > 250 || 16000 % result_.frame_rate != 0 ||
      rate % result_.frame_rate != 0)
    Obstacle(absl::StrCat("it has ", result_.frame_rate, " frames a second"));
  return arguments.Finish();
}

absl::Status ModelReader::ReadEncoder(const gin::Reference& reference) {
  result_.encoder = LastName(reference.selector);
  if (result_.encoder != "MfccTimeDistributedRnnEncoder") return Unknown("encoder", reference);
  constexpr int64_t kMfccs = 30;
  ASSIGN_OR_RETURN(Arguments arguments, Of(reference));
  const int64_t units = arguments.Int("rnn_channels", 512);
  z_dims_ = arguments.Int("z_dims", 32);
  Expect("encoder/z_norm/scale", {1, 1, 1, kMfccs});
  Expect("encoder/z_norm/shift", {1, 1, 1, kMfccs});
  ExpectRnn("encoder/rnn/rnn", kMfccs, units, arguments.Text("rnn_type", "gru"));
  Expect("encoder/dense_out/kernel", {units, z_dims_});
  Expect("encoder/dense_out/bias", {z_dims_});
  Obstacle("its encoder reads the whole recording");
  return arguments.Finish();
}

void ModelReader::ExpectStack(const std::string& path, int64_t inputs) {
  const int64_t channels = result_.decoder.channels();
  for (int layer = 0; layer < result_.decoder.layers_per_stack(); ++layer) {
    const std::string at = absl::StrCat(path, "/layer_with_weights-", layer, "/layer_with_weights-");
    Expect(at + "0/kernel", {layer == 0 ? inputs : channels, channels});
    Expect(at + "0/bias", {channels});
    Expect(at + "1/gamma", {channels});
    Expect(at + "1/beta", {channels});
  }
}

void ModelReader::ExpectRnn(const std::string& path, int64_t inputs, int64_t units, const std::string& type) {
  const int64_t gates = type == "lstm" ? 4 : 3;
  Expect(path + "/cell/kernel", {inputs, gates * units});
  Expect(path + "/cell/recurrent_kernel", {units, gates * units});
  Expect(path + "/cell/bias", type == "lstm" ? Shape{gates * units} : Shape{2, gates * units});
}

absl::Status ModelReader::ReadDecoder(const gin::Reference& reference) {
  if (LastName(reference.selector) != "RnnFcDecoder") return Unknown("decoder", reference);
  ASSIGN_OR_RETURN(Arguments arguments, Of(reference));
  v1::DecoderSpec& decoder = result_.decoder;
  const int64_t units = arguments.Int("rnn_channels", 512), channels = arguments.Int("ch", 512),
                layers = arguments.Int("layers_per_stack", 3);
  const std::vector<gin::Value>*keys = arguments.Items("input_keys"), *splits = arguments.Items("output_splits");
  result_.rnn_type = arguments.Text("rnn_type", "gru");
  RETURN_IF_ERROR(arguments.Finish());
  for (const auto& [name, value, lowest] : {std::tuple{"rnn_channels", units, 1}, std::tuple{"ch", channels, 1},
                                            std::tuple{"layers_per_stack", layers, 0}}) {
    if (value < lowest || value > 65536)
      return absl::InvalidArgumentError(absl::StrCat("RnnFcDecoder.", name, " is ", value));
  }
  if (keys == nullptr || splits == nullptr || keys->empty() || splits->empty())
    return absl::InvalidArgumentError("the configuration's RnnFcDecoder has no input_keys or no output_splits");
  decoder.set_rnn_channels(static_cast<int32_t>(units));
  decoder.set_channels(static_cast<int32_t>(channels));
  decoder.set_layers_per_stack(static_cast<int32_t>(layers));
  int64_t stacked = 0, outputs = 0;
  for (const gin::Value& key : *keys) {
    if (key.As<std::string>() == nullptr)
      return absl::InvalidArgumentError(absl::StrCat(ToString(key.position()), ": an input key is ", key.Describe()));
    const int64_t size = *key.As<std::string>() == "z" ? z_dims_ : 1;
    ExpectStack(absl::StrCat("decoder/input_stacks/", decoder.input_keys_size()), size);
    decoder.add_input_keys(*key.As<std::string>());
    stacked += layers > 0 ? channels : size;
  }
  for (const gin::Value& value : *splits) {
    const std::vector<gin::Value>* pair = value.items();
    const bool fits = pair != nullptr && pair->size() == 2 && (*pair)[0].As<std::string>() != nullptr &&
                      (*pair)[1].As<int64_t>() != nullptr && *(*pair)[1].As<int64_t>() > 0 &&
                      *(*pair)[1].As<int64_t>() <= 65536;
    if (!fits)
      return absl::InvalidArgumentError(absl::StrCat(ToString(value.position()), ": an output is ", value.Describe()));
    v1::DecoderSpec::Split* split = decoder.add_output_splits();
    split->set_name(*(*pair)[0].As<std::string>());
    split->set_size(static_cast<int32_t>(*(*pair)[1].As<int64_t>()));
    outputs += split->size();
  }
  ExpectRnn("decoder/rnn/rnn", stacked, units, result_.rnn_type);
  ExpectStack("decoder/out_stack", stacked + units);
  Expect("decoder/dense_out/kernel", {layers > 0 ? channels : stacked + units, outputs});
  Expect("decoder/dense_out/bias", {outputs});
  if (result_.rnn_type != "gru") Obstacle(absl::StrCat("its decoder has an RNN of type ", result_.rnn_type));
  return absl::OkStatus();
}

// The engine's exp_sigmoid has upstream's defaults.
absl::Status ModelReader::CheckScaling() {
  ASSIGN_OR_RETURN(Arguments arguments, Of({"", "exp_sigmoid"}));
  if (arguments.Number("exponent", 10) != 10 || arguments.Number("max_value", 2) != 2 ||
      arguments.Number("threshold", 1e-7) != 1e-7)
    Obstacle("its exp_sigmoid has other parameters than upstream's defaults");
  return arguments.Finish();
}

void ModelReader::NameRecipe() {
  std::vector<std::string> types;
  for (const auto& node : result_.graph.nodes()) types.push_back(node.type());
  const std::string graph = absl::StrJoin(types, " ");
  result_.recipe = "custom";
  if (result_.preprocessor == "OnlineF0PowerPreprocessor" &&
      graph == "Harmonic FilteredNoise Add FilteredNoiseReverb Crop")
    result_.recipe = "vst";
  if (result_.preprocessor == "F0LoudnessPreprocessor" && result_.encoder.empty() &&
      graph == "Harmonic FilteredNoise Add Reverb")
    result_.recipe = result_.decoder.layers_per_stack() == 0 ? "tiny_instrument" : "solo_instrument";
  if (!result_.encoder.empty()) result_.recipe = "ae";
}

}  // namespace

absl::StatusOr<ModelConfig> ReadModelConfig(const gin::Config& config) { return ModelReader(config).Read(); }

}  // namespace ddsp::importer
