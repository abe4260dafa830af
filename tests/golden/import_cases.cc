// import.*: models restored from training directories, as a whole and in the forms of the plug-in.
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/gin/reader.h"
#include "core/importer/checkpoint_map.h"
#include "core/importer/training_directory.h"
#include "core/models/inference/vst_forms.h"
#include "tests/golden/adapters.h"
#include "tests/golden/golden_model.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

// A training directory, read by the importer.
struct Restored {
  std::string gin;  // the operative configuration
  importer::ModelConfig model;
  NamedTensors parameters;
};

Restored Restore(Call& call) {
  call.Args();
  const std::string directory = call.golden_case().directory + "/import/" + call.Text("dir", "");
  const auto files = Unwrap(importer::FindTrainingFiles(directory));
  Restored restored;
  restored.gin = Unwrap(ReadFile(files.config));
  restored.model = Unwrap(importer::ReadModelConfig(Unwrap(gin::ParseConfig(restored.gin, files.config))));
  const auto bundle = Unwrap(importer::TensorBundle::Open(files.checkpoint));
  const auto imported = Unwrap(importer::ReadWeights(bundle, restored.model));
  for (const auto& [path, weight] : imported.weights)
    restored.parameters[path] = at::tensor(weight.values).view(weight.shape);
  return restored;
}

// What upstream restored from the same files, where a case lists it.
void CheckAgainst(const NamedTensors& expected, const NamedTensors& parameters) {
  for (const auto& [path, value] : expected) {
    const auto it = parameters.find(path);
    if (it == parameters.end() || !at::equal(it->second, value)) throw Rejected("parameter " + path + " differs");
  }
}

NamedTensors AutoencoderCase(Call& call) {
  const Restored restored = Restore(call);
  CheckAgainst(call.Params(), restored.parameters);
  NamedTensors inputs = call.Inputs();
  if (!inputs.contains("noise")) inputs["noise"] = at::zeros_like(inputs.at("audio"));
  NamedTensors results = GoldenModel(restored.gin).Run(inputs, restored.parameters);
  const GoldenModel exact(restored.gin + "\nHarmonic.phase = 'exact'\n");
  results["audio_synth_exact_phase"] = exact.Run(inputs, restored.parameters).at("audio_synth");
  for (const char* name : {"audio_synth", "audio_synth_exact_phase"}) {
    const auto stored = call.golden_case().outputs.find(name);
    if (stored == call.golden_case().outputs.end()) continue;
    results[name] = results[name].narrow(1, 0, stored->second.value.size(-1));
  }
  return results;
}

RnnFcDecoder::Options DecoderOptionsOf(const importer::ModelConfig& model) {
  RnnFcDecoder::Options options;
  options.rnn_channels = model.decoder.rnn_channels();
  options.ch = model.decoder.channels();
  options.layers_per_stack = model.decoder.layers_per_stack();
  options.inputs.clear();
  for (const std::string& key : model.decoder.input_keys()) options.inputs.push_back({key, 1});
  options.output_splits.clear();
  for (const auto& split : model.decoder.output_splits()) options.output_splits.push_back({split.name(), split.size()});
  return options;
}

enum class State { kCarried, kZero };

NamedTensors PredictControls(Call& call, State state) {
  const Restored restored = Restore(call);
  VstPredictControls::Options options;
  options.decoder = DecoderOptionsOf(restored.model);
  options.sample_rate = restored.model.sample_rate;
  const auto form = Unwrap(VstPredictControls::Create(options, restored.parameters));
  const Tensor f0 = call.In("f0_scaled"), power = call.In("pw_scaled");
  Tensor carried = state == State::kCarried ? call.In("state") : Tensor();
  std::map<std::string, std::vector<Tensor>> rows;
  for (int64_t t = 0; t < f0.size(0); ++t) {
    const VstPrediction frame = Unwrap(form->Predict(f0[t].item<double>(), power[t].item<double>(), carried));
    rows["amps"].push_back(frame.controls.amps);
    rows["hd"].push_back(frame.controls.hd);
    rows["noise"].push_back(frame.controls.noise);
    rows["state"].push_back(frame.state);
    if (state == State::kCarried) carried = frame.state;
  }
  NamedTensors results;
  for (const auto& [name, values] : rows) results[name] = at::stack(values);
  return results;
}

NamedTensors SynthesizeCase(Call& call) {
  call.Args();
  VstSynthesize::Options options;
  options.hop_size = call.Int("new_hop_size", options.hop_size);
  options.accumulation = PhaseAccumulation::kTracedAngularCumsum;
  const auto form = Unwrap(VstSynthesize::Create(options));
  const Tensor f0 = call.In("f0"), amps = call.In("amps"), hd = call.In("hd"), noise = call.In("noise"),
               draws = call.In("noise_draw");
  const auto frame = [&](int64_t t) { return VstFrame{f0[t].item<double>(), {amps[t], hd[t], noise[t]}}; };
  std::vector<Tensor> audio, phases;
  double phase = 0;
  for (int64_t t = 0; t < draws.size(0); ++t) {
    const VstSynthesis hop = Unwrap(form->Synthesize(frame(t), frame(t + 1), phase, draws[t]));
    phase = hop.phase;
    audio.push_back(hop.audio);
    phases.push_back(at::tensor({phase}));
  }
  return {{"audio", at::stack(audio)}, {"phase", at::stack(phases)}};
}

}  // namespace

const AdapterEntry kImportAdapters[] = {
    {"import.autoencoder", AutoencoderCase},
    {"import.VSTStatelessPredictControls", [](Call& call) { return PredictControls(call, State::kCarried); }},
    {"import.VSTPredictControls", [](Call& call) { return PredictControls(call, State::kZero); }},
    {"import.VSTSynthesize", SynthesizeCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
