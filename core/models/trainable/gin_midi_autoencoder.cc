// MidiAutoencoder and ZMidiAutoencoder from a gin configuration.
#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/graph/gin_graph.h"
#include "core/losses/mean_difference.h"
#include "core/models/trainable/midi_autoencoder.h"
#include "core/models/trainable/model_losses.h"

namespace ddsp {
namespace {

using at::Tensor;
using Encoders = std::vector<std::unique_ptr<ZEncoder>>;

constexpr char kNoPrior[] =
    "cannot be had from gin: a prior is given a latent alone, and every loss of upstream compares two tensors "
    "(GaussianPrior, of which its z_midiae.gin speaks, is not part of it); GinModelOptions takes one of your own";

// The channels of a latent that goes on through a prior.
int64_t ChannelsBehind(const LatentPrior& prior, int64_t channels) {
  return prior.sample && prior.sample_channels > 0 && channels > 0 ? prior.sample_channels : channels;
}

Encoders ReadEncoders(GinArguments& args, const std::string& name, const FeatureChannels& channels, int64_t* z) {
  Encoders encoders;
  for (GinArguments& child : args.Children(name)) {
    encoders.push_back(ZEncoderFromGin(child, channels));
    if (encoders.back() != nullptr) *z += encoders.back()->channels();
  }
  return encoders;
}

// What the synthcoder makes, as the MIDI encoder and the encoders of latents see it.
FeatureChannels SoundChannels(GinArguments& args, const ControlDecoder* synthcoder) {
  FeatureChannels channels;
  if (synthcoder == nullptr) return channels;
  for (const char* name : {"amplitudes", "harmonic_distribution", "magnitudes"}) {
    if (!synthcoder->outputs().contains(name)) {
      args.Reject("synthcoder", absl::StrCat("has no output '", name, "'"));
      return channels;
    }
  }
  const FeatureChannels& outputs = synthcoder->outputs();
  channels["hd_scaled"] = outputs.at("harmonic_distribution");
  channels["noise_scaled"] = outputs.at("magnitudes");
  return channels;
}

std::unique_ptr<HarmonicToMidiEncoder> ReadMidiEncoder(GinArguments& args, const FeatureChannels& sound) {
  std::optional<GinArguments> encoder = args.Child("midi_encoder");
  if (!encoder) return nullptr;
  if (encoder->class_name() != "encoders.HarmonicToMidiEncoder") {
    encoder->Reject(absl::StrCat(encoder->class_name(), " does not make notes of harmonic controls"));
    return nullptr;
  }
  const auto pitch = encoder->Flag("f0_residual", true) ? HarmonicToMidiEncoder::Pitch::kAddedToF0
                                                        : HarmonicToMidiEncoder::Pitch::kFromNet;
  if (sound.empty()) return nullptr;
  std::unique_ptr<Net> net = NetFromGin(*encoder, "net", {2 + sound.at("hd_scaled") + sound.at("noise_scaled"), 0});
  encoder->Finish();
  return net == nullptr ? nullptr : std::make_unique<HarmonicToMidiEncoder>(std::move(net), pitch);
}

// Its net is a DilatedConvStack, conditional where there are latents.
std::unique_ptr<MidiToHarmonicDecoder> ReadMidiDecoder(GinArguments& args, int64_t z_channels) {
  std::optional<GinArguments> decoder = args.Child("midi_decoder");
  if (!decoder) return nullptr;
  if (decoder->class_name() != "decoders.MidiToHarmonicDecoder") {
    decoder->Reject(absl::StrCat(decoder->class_name(), " does not make harmonic controls of notes"));
    return nullptr;
  }
  decoder->ExpectFlag("f0_residual", true, true);
  decoder->ExpectFlag("norm", true, true);
  decoder->ExpectFlag("midi_zero_silence", true, true);
  std::vector<RnnFcDecoder::Feature> splits;
  for (const auto& [name, channels] : decoder->ReadSplits(
           "output_splits", {{"f0_midi", 1}, {"amplitudes", 1}, {"harmonic_distribution", 60}, {"magnitudes", 65}})) {
    splits.push_back({name, channels});
  }
  const absl::StatusOr<DilatedConvStack::Options> net = DilatedConvStackFromGin(*decoder, "net", {1, z_channels});
  decoder->Finish();
  return net.ok() ? std::make_unique<MidiToHarmonicDecoder>(*net, splits) : nullptr;
}

std::unique_ptr<TrainableGroup> ReadGroup(GinArguments& args) {
  FixedGroup group;
  group.dag =
      "[(@synths.Harmonic(), ['amplitudes', 'harmonic_distribution', 'f0_hz']), (@synths.FilteredNoise(), "
      "['magnitudes']), (@processors.Add(), ['filtered_noise/signal', 'harmonic/signal'])";
  group.bindings = {"Harmonic.name = 'harmonic'", "FilteredNoise.name = 'filtered_noise'",
                    "processors.Add.name = 'add'"};
  if (args.Flag("reverb", true)) {
    absl::StrAppend(&group.dag, ", (@effects.FilteredNoiseReverb(), ['add/signal'])");
    for (const char* binding :
         {"reverb_length = 24000", "n_frames = 500", "n_filter_banks = 32", "trainable = True", "name = 'reverb'"}) {
      group.bindings.push_back(absl::StrCat("FilteredNoiseReverb.", binding));
    }
  }
  group.dag += "]";
  return TrainableGroupFromGin(args, group);
}

std::unique_ptr<DagLayer> ReadLossGroup(GinArguments& args) {
  std::optional<GinArguments> losses = args.Child("reconstruction_losses");
  if (!losses) return nullptr;
  const absl::StatusOr<GraphSpec> spec = GraphFromGin(args.config(), {"losses.LossGroup", losses->scope()});
  args.problems().Add(spec.status());
  if (!spec.ok()) return nullptr;
  absl::StatusOr<ValidatedGraph> graph = ValidateGraphSpec(*spec);
  args.problems().Add(graph.status());
  if (!graph.ok()) return nullptr;
  return std::make_unique<DagLayer>(*std::move(graph));
}

ParamDifference ReadParamLoss(GinArguments& args, const std::string& name) {
  std::optional<GinArguments> loss = args.Child(name);
  if (!loss) return {};
  if (loss->class_name() != "losses.ParamLoss") {
    loss->Reject(absl::StrCat(loss->class_name(), " is no loss of parameters, expected losses.ParamLoss"));
    return {};
  }
  const double weight = loss->Number("weight", 1);
  const LossType type =
      loss->Accept("loss_type", CatchTorch([&] { return ParseLossType(loss->Text("loss_type", "L1")); }));
  // Several of the model's losses may be one class: its parameter tells them apart.
  ParamDifference made = {loss->Text("name", name), [=](const Tensor& a, const Tensor& b, const Tensor& weights) {
                            return weight * MeanDifference(a, b, type, weights);
                          }};
  loss->Finish();
  return made;
}

}  // namespace

std::unique_ptr<TrainableModel> MidiAutoencoderFromGin(GinArguments& args) {
  MidiAutoencoder::Parts parts;
  if (std::optional<GinArguments> preprocessor = args.Child("preprocessor")) {
    parts.preprocessor = PreprocessorFromGin(*preprocessor);
  } else {
    args.Reject("preprocessor", "is missing");
  }
  int64_t z_synth = 0, z_global = 0, z_midi = 0;
  MidiAutoencoder::Latents& latents = parts.latents;
  latents.z_synth_encoders = ReadEncoders(args, "z_synth_encoders", {}, &z_synth);
  if (std::optional<GinArguments> synthcoder = args.Child("synthcoder")) {
    parts.synthcoder = ControlDecoderFromGin(*synthcoder, {{"z", z_synth}});
  } else {
    args.Reject("synthcoder", "is missing");
  }
  const FeatureChannels sound = SoundChannels(args, parts.synthcoder.get());
  for (const char* prior : {"z_global_prior", "z_note_prior"}) args.ExpectNone(prior, kNoPrior);
  latents.z_global_prior = args.options().z_global_prior;
  latents.z_note_prior = args.options().z_note_prior;
  latents.z_global_encoders = ReadEncoders(args, "z_global_encoders", sound, &z_global);
  z_midi = ChannelsBehind(latents.z_global_prior, z_global);
  if (std::optional<GinArguments> encoder = args.Child("z_note_encoder")) {
    latents.z_note_encoder = ZEncoderFromGin(*encoder, sound);
    if (latents.z_note_encoder != nullptr)
      z_midi += ChannelsBehind(latents.z_note_prior, latents.z_note_encoder->channels());
  }
  if (args.Child("z_preconditioning_stack")) {
    latents.z_preconditioning_stack = NetFromGin(args, "z_preconditioning_stack", {z_midi, 0});
    if (latents.z_preconditioning_stack != nullptr) z_midi = latents.z_preconditioning_stack->out_channels();
  }
  parts.midi_encoder = ReadMidiEncoder(args, sound);
  parts.midi_decoder = ReadMidiDecoder(args, z_midi);
  parts.processor_group = ReadGroup(args);
  parts.sg_before_midiae = args.Flag("sg_before_midiae", true);
  parts.mask_f0_loss = args.Flag("mask_f0_loss", true);
  parts.reconstruction_losses = ReadLossGroup(args);
  parts.qpitch_f0rec_loss = ReadParamLoss(args, "qpitch_f0rec_loss");
  parts.pitch_f0rec_loss = ReadParamLoss(args, "pitch_f0rec_loss");
  parts.pitch_qpitch_loss = ReadParamLoss(args, "pitch_qpitch_loss");
  parts.midi_slowness_loss = ReadParamLoss(args, "midi_slowness_loss");
  args.Finish();
  if (!args.problems().empty()) return nullptr;
  return std::make_unique<MidiAutoencoder>(std::move(parts));
}

}  // namespace ddsp
