// synths.*, effects.*, processors.*: processors and graphs of them.
#include "core/graph/processor_group.h"
#include "core/processors/processor_factory.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using Json = nlohmann::json;

ArgValue ToArgValue(const std::string& name, const Json& value) {
  if (value.is_null()) return std::monostate();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  throw Unsupported("argument " + name + " of this type");
}

// Upstream's arguments, and upstream's form where our default is another one.
ConstructorArgs ToConstructorArgs(const std::string& class_name, const Json& args) {
  ConstructorArgs converted;
  for (const auto& [name, value] : args.items()) {
    if (name != "name") converted[name] = ToArgValue(name, value);
  }
  if (class_name == "synths.Sinusoidal" ||
      (class_name == "synths.Harmonic" && !args.value("use_angular_cumsum", false))) {
    converted["phase"] = "cumsum";
  }
  if (class_name == "processors.Mix") converted["gains"] = "upstream";
  if (class_name == "effects.ModDelay") converted["delay_end"] = "wrap";
  return converted;
}

std::unique_ptr<Processor> ProcessorOf(Call& call, const std::string& class_name) {
  const ConstructorArgs args = ToConstructorArgs(class_name, call.Args());
  return Unwrap(MakeProcessor(class_name, class_name.substr(class_name.find('.') + 1), args));
}

// Takes noise and weights out of `inputs`.
ProcessorContext TakeContext(NamedTensors* inputs) {
  ProcessorContext context;
  for (auto it = inputs->begin(); it != inputs->end();) {
    const bool weight = it->first.starts_with("weight_");
    if (weight) context.parameters[it->first.substr(7)] = it->second;
    if (it->first == "noise") context.noise = it->second;
    it = weight || it->first == "noise" ? inputs->erase(it) : std::next(it);
  }
  return context;
}

NamedTensors WholeCall(Call& call) {
  NamedTensors inputs = call.Inputs();
  const ProcessorContext context = TakeContext(&inputs);
  return Out(Unwrap(ProcessorOf(call, call.golden_case().fn)->Run(inputs, context)).signal);
}

std::string ClassOf(const std::string& fn) { return fn.substr(0, fn.rfind('.')); }

NamedTensors GetControls(Call& call) {
  NamedTensors inputs = call.Inputs();
  const ProcessorContext context = TakeContext(&inputs);
  return Unwrap(ProcessorOf(call, ClassOf(call.golden_case().fn))->GetControls(inputs, context));
}

NamedTensors GetSignal(Call& call) {
  NamedTensors controls = call.Inputs();
  const ProcessorContext context = TakeContext(&controls);
  return Out(Unwrap(ProcessorOf(call, ClassOf(call.golden_case().fn))->GetSignal(controls, context)));
}

// Whether a class draws noise; a group's inputs noise, noise_2, ... are its draws in order of execution.
bool DrawsNoise(const std::string& class_name) {
  return class_name == "synths.FilteredNoise" || class_name == "effects.FilteredNoiseReverb" ||
         class_name == "effects.ExpDecayReverb";
}

NamedTensors GroupCase(Call& call) {
  if (call.Has("gin")) throw Unsupported("argument gin");
  const Json& dag = call.Raw("dag");
  const Json& modules = call.Raw("modules");
  GraphSpec spec;
  GroupContext context;
  NamedTensors inputs;
  for (const auto& [name, tensor] : call.Inputs()) {
    if (name == "noise" || name == "noise_2") continue;
    inputs[name] = tensor;
    spec.inputs.push_back(name);
  }
  int draws = 0;
  for (const Json& entry : dag) {
    GraphNode node;
    node.name = entry.at(0).get<std::string>();
    node.inputs = entry.at(1).get<std::vector<std::string>>();
    if (!modules.contains(node.name)) throw Rejected("no module " + node.name);
    const Json& module = modules[node.name];
    node.class_name = module.at("class").get<std::string>();
    node.args = ToConstructorArgs(node.class_name, module.value("args", Json::object()));
    if (DrawsNoise(node.class_name)) context.noise[node.name] = call.OptionalIn(++draws == 1 ? "noise" : "noise_2");
    spec.nodes.push_back(std::move(node));
  }
  const ProcessorGroup group(Unwrap(ValidateGraphSpec(spec)));
  NamedTensors results = Unwrap(group.Run(inputs, context));
  results["signal"] = results["out/signal"];
  return results;
}

}  // namespace

const AdapterEntry kProcessorAdapters[] = {
    {"synths.TensorToAudio", WholeCall},
    {"synths.TensorToAudio.get_controls", GetControls},
    {"synths.TensorToAudio.get_signal", GetSignal},
    {"synths.Harmonic", WholeCall},
    {"synths.Harmonic.get_controls", GetControls},
    {"synths.Harmonic.get_signal", GetSignal},
    {"synths.FilteredNoise", WholeCall},
    {"synths.FilteredNoise.get_controls", GetControls},
    {"synths.FilteredNoise.get_signal", GetSignal},
    {"synths.Wavetable", WholeCall},
    {"synths.Wavetable.get_controls", GetControls},
    {"synths.Wavetable.get_signal", GetSignal},
    {"synths.Sinusoidal", WholeCall},
    {"synths.Sinusoidal.get_controls", GetControls},
    {"synths.Sinusoidal.get_signal", GetSignal},
    {"effects.Reverb", WholeCall},
    {"effects.Reverb.get_controls", GetControls},
    {"effects.Reverb.get_signal", GetSignal},
    {"effects.ExpDecayReverb", WholeCall},
    {"effects.ExpDecayReverb.get_controls", GetControls},
    {"effects.ExpDecayReverb.get_signal", GetSignal},
    {"effects.FilteredNoiseReverb", WholeCall},
    {"effects.FilteredNoiseReverb.get_controls", GetControls},
    {"effects.FilteredNoiseReverb.get_signal", GetSignal},
    {"effects.FIRFilter", WholeCall},
    {"effects.FIRFilter.get_controls", GetControls},
    {"effects.FIRFilter.get_signal", GetSignal},
    {"effects.ModDelay", WholeCall},
    {"effects.ModDelay.get_controls", GetControls},
    {"effects.ModDelay.get_signal", GetSignal},
    {"processors.Add", WholeCall},
    {"processors.Add.get_controls", GetControls},
    {"processors.Add.get_signal", GetSignal},
    {"processors.Mix", WholeCall},
    {"processors.Mix.get_controls", GetControls},
    {"processors.Mix.get_signal", GetSignal},
    {"processors.Crop", WholeCall},
    {"processors.Crop.get_controls", GetControls},
    {"processors.Crop.get_signal", GetSignal},
    {"processors.ProcessorGroup", GroupCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
