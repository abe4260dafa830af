// synths.*, effects.*, processors.*: processors and graphs of them.
#include "core/graph/processor_group.h"
#include "core/processors/processor_factory.h"
#include "tests/golden/adapters.h"
#include "tests/golden/graph_args.h"

namespace ddsp::golden {
namespace {

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

// The inputs noise, noise_2 are the draws of a group in order of execution.
NamedTensors GroupCase(Call& call) {
  GroupContext context;
  NamedTensors inputs;
  std::vector<std::string> keys;
  for (const auto& [name, tensor] : call.Inputs()) {
    if (name == "noise" || name == "noise_2") continue;
    inputs[name] = tensor;
    keys.push_back(name);
  }
  const GraphSpec spec = call.Has("gin") ? GraphFromArgs(GinArgs::Parse(call.Text("gin", "")), keys)
                                         : GraphFromModules(call.Raw("dag"), call.Raw("modules"), keys);
  int draws = 0;
  for (const GraphNode& node : spec.nodes) {
    if (DrawsNoise(node.class_name)) context.noise[node.name] = call.OptionalIn(++draws == 1 ? "noise" : "noise_2");
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
