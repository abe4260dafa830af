#include "core/models/trainable/midi_autoencoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/preprocessing.h"
#include "core/dsp/units.h"
#include "core/nn/note_regions.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int64_t kPianoKeys = 128;
constexpr double kLowestKey = 20;  // pitches up to it are silence in a piano roll

struct HarmonicParts {
  Tensor amps, hd, noise;  // amps and noise in dB
};

HarmonicParts PartsOf(const NamedTensors& controls) {
  return {AmplitudeToDb(controls.at("harmonic/controls/amplitudes")),
          controls.at("harmonic/controls/harmonic_distribution"),
          AmplitudeToDb(controls.at("filtered_noise/controls/magnitudes"))};
}

// Rounds; the gradient passes. Upstream: straight_through_int_quantization.
Tensor RoundStraightThrough(const Tensor& x) { return x + (at::round(x) - x).detach(); }

Tensor PianoRoll(const Tensor& q_pitch) {
  const Tensor pitch = q_pitch.detach().squeeze(-1);
  const Tensor keys = at::where(pitch > kLowestKey, pitch, at::zeros_like(pitch)).to(at::kLong);
  return at::one_hot(keys.clamp(0, kPianoKeys - 1), kPianoKeys).to(at::kFloat);
}

absl::StatusOr<Tensor> EncodeAll(const std::vector<std::unique_ptr<ZEncoder>>& encoders, const NamedTensors& features,
                                 int64_t time_steps) {
  std::vector<Tensor> z;
  for (const auto& encoder : encoders) {
    ASSIGN_OR_RETURN(const Tensor one, encoder->Encode(features, time_steps));
    z.push_back(one);
  }
  if (z.empty()) return Tensor();
  return CatchTorch([&] { return at::cat(z, -1); });
}

// Adds the prior's loss of z; returns what goes on in its place.
absl::StatusOr<Tensor> Regularized(const LatentPrior& prior, const Tensor& z, const ModelContext& context,
                                   NamedTensors* losses) {
  return CatchTorch([&] {
    if (prior.loss) (*losses)[prior.name] = prior.loss(z);
    return prior.sample ? prior.sample(z, context.generator) : z;
  });
}

void Update(const NamedTensors& more, NamedTensors* tensors) {
  for (const auto& [name, tensor] : more) (*tensors)[name] = tensor;
}

}  // namespace

HarmonicToMidiEncoder::HarmonicToMidiEncoder(std::unique_ptr<Net> net, Pitch pitch)
    : net_(std::move(net)),
      norm_(net_->out_channels(), NormType::kLayer),
      dense_out_(net_->out_channels(), 2),
      pitch_(pitch) {}

NamedTensors HarmonicToMidiEncoder::Forward(const Tensor& f0_midi, const Tensor& amps, const Tensor& hd,
                                            const Tensor& noise) const {
  const Tensor x = dense_out_.Forward(norm_.Forward(net_->Forward(at::cat({f0_midi, amps, hd, noise}, -1), /*z=*/{})));
  const Tensor pitch = x.narrow(-1, 0, 1);
  return {{"z_pitch", pitch_ == Pitch::kAddedToF0 ? pitch + f0_midi : pitch}, {"z_vel", x.narrow(-1, 1, 1)}};
}

void HarmonicToMidiEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  net_->VisitParameters(prefix + "net/", visit);
  norm_.VisitParameters(prefix + "norm/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

absl::StatusOr<NamedTensors> MidiAutoencoder::Preprocess(const NamedTensors& features) const {
  NamedTensors all = features;
  if (parts_.preprocessor.run) {
    ASSIGN_OR_RETURN(const NamedTensors preprocessed, parts_.preprocessor.run(features));
    Update(preprocessed, &all);
  }
  ASSIGN_OR_RETURN(const Tensor f0_hz, Lookup(all, "f0_hz"));
  ASSIGN_OR_RETURN(all["f0_midi"], CatchTorch([&] { return HzToMidi(AtLeast3d(f0_hz)); }));
  const std::string level = all.contains(parts_.preprocessor.level) ? parts_.preprocessor.level : "pw_db";
  ASSIGN_OR_RETURN(all["db"], Lookup(all, level));
  all[parts_.preprocessor.level + "_pred"] = all["db"];
  return all;
}

absl::Status MidiAutoencoder::AddSynthcoder(const ModelContext& context, NamedTensors* outputs) const {
  ASSIGN_OR_RETURN(const Tensor z,
                   EncodeAll(parts_.latents.z_synth_encoders, *outputs, outputs->at("f0_midi").size(1)));
  NamedTensors inputs = *outputs;
  if (z.defined()) inputs["z"] = z;
  ASSIGN_OR_RETURN(const NamedTensors raw, parts_.synthcoder->Decode(inputs));
  Update(raw, &inputs);
  ASSIGN_OR_RETURN(const NamedTensors made, parts_.processor_group->Run(inputs, context));
  Update(made, outputs);
  (*outputs)["synth_audio"] = made.at("out/signal");
  const HarmonicParts parts = PartsOf(made);
  Update({{"amps", parts.amps}, {"hd", parts.hd}, {"noise", parts.noise}}, outputs);
  // For the encoders of latents.
  Update({{"amps_scaled", parts.amps}, {"hd_scaled", parts.hd}, {"noise_scaled", parts.noise}}, outputs);
  return absl::OkStatus();
}

absl::StatusOr<MidiAutoencoder::Notes> MidiAutoencoder::FindNotes(const NamedTensors& outputs) const {
  const Tensor& f0_midi = outputs.at("f0_midi");
  if (parts_.midi_encoder != nullptr) {
    return CatchTorch([&] {
      const auto passed_on = [&](const std::string& name) {
        return parts_.sg_before_midiae ? outputs.at(name).detach() : outputs.at(name);
      };
      Notes notes;
      notes.z_pitch =
          parts_.midi_encoder->Forward(passed_on("f0_midi"), passed_on("amps"), passed_on("hd"), passed_on("noise"))
              .at("z_pitch");
      notes.q_pitch = RoundStraightThrough(notes.z_pitch);
      notes.f0_loss_weights = at::ones_like(f0_midi);
      return notes;
    });
  }
  ASSIGN_OR_RETURN(const Tensor score, Lookup(outputs, "note_active_velocities"));
  return CatchTorch([&] {
    DDSP_CHECK_ARGUMENT(score.dim() == 3 && score.size(1) == f0_midi.size(1), "note_active_velocities has shape ",
                        score.sizes(), ", expected [batch, ", f0_midi.size(1), ", pitches]");
    Notes notes;
    notes.q_pitch = score.argmax(-1, /*keepdim=*/true).to(at::kFloat);
    const Tensor close = ((f0_midi - notes.q_pitch).abs() < 2).to(at::kFloat);
    notes.f0_loss_weights = parts_.mask_f0_loss ? close : at::ones_like(close);
    return notes;
  });
}

absl::StatusOr<Tensor> MidiAutoencoder::LatentsOf(const NamedTensors& outputs, const Tensor& q_pitch,
                                                  const ModelContext& context, FoundLatents* found) const {
  const Latents& latents = parts_.latents;
  const int64_t time_steps = q_pitch.size(1);
  std::vector<Tensor> z;
  ASSIGN_OR_RETURN(const Tensor z_global, EncodeAll(latents.z_global_encoders, outputs, time_steps));
  if (z_global.defined()) {
    ASSIGN_OR_RETURN(found->z["z_global"], Regularized(latents.z_global_prior, z_global, context, &found->losses));
    z.push_back(found->z["z_global"]);
  }
  if (latents.z_note_encoder != nullptr) {
    ASSIGN_OR_RETURN(const Tensor frames, latents.z_note_encoder->Encode(outputs, time_steps));
    ASSIGN_OR_RETURN(const Tensor means,
                     CatchTorch([&] { return PoolOverNotes(frames, NoteMask(q_pitch.detach())).mean; }));
    ASSIGN_OR_RETURN(found->z["z_notes"], Regularized(latents.z_note_prior, means, context, &found->losses));
    z.push_back(found->z["z_notes"]);
  }
  if (z.empty()) return Tensor();
  return CatchTorch([&] {
    const Tensor joined = at::cat(z, -1);
    return latents.z_preconditioning_stack == nullptr ? joined
                                                      : latents.z_preconditioning_stack->Forward(joined, /*z=*/{});
  });
}

absl::StatusOr<NamedTensors> MidiAutoencoder::PlayNotes(const Notes& notes, const ModelContext& context,
                                                        NamedTensors* outputs) const {
  NamedTensors& o = *outputs;
  if (parts_.midi_decoder == nullptr) {
    Update({{"midi_audio", o["synth_audio"]},
            {"f0_midi_pred", notes.q_pitch},
            {"amps_pred", o["amps"]},
            {"hd_pred", o["hd"]},
            {"noise_pred", o["noise"]}},
           outputs);
    return NamedTensors();
  }
  FoundLatents found;
  ASSIGN_OR_RETURN(const Tensor z, LatentsOf(o, notes.q_pitch, context, &found));
  ASSIGN_OR_RETURN(const NamedTensors controls,
                   CatchTorch([&] { return parts_.midi_decoder->Forward(notes.q_pitch, z); }));
  ASSIGN_OR_RETURN(const NamedTensors made, parts_.processor_group->Run(controls, context));
  const HarmonicParts parts = PartsOf(made);
  Update(found.z, outputs);
  Update({{"midi_audio", made.at("out/signal")},
          {"f0_midi_pred", controls.at("f0_midi")},
          {"amps_pred", parts.amps},
          {"hd_pred", parts.hd},
          {"noise_pred", parts.noise}},
         outputs);
  return found.losses;
}

absl::StatusOr<ModelOutputs> MidiAutoencoder::Run(const NamedTensors& features, const ModelContext& context) const {
  ModelOutputs result;
  NamedTensors& outputs = result.outputs;
  ASSIGN_OR_RETURN(outputs, Preprocess(features));
  RETURN_IF_ERROR(AddSynthcoder(context, &outputs));
  ASSIGN_OR_RETURN(const Notes notes, FindNotes(outputs));
  ASSIGN_OR_RETURN(const NamedTensors prior_losses, PlayNotes(notes, context, &outputs));
  outputs["q_pitch"] = notes.q_pitch;
  outputs["q_vel"] = at::zeros_like(notes.q_pitch);
  if (notes.z_pitch.defined()) outputs["z_pitch"] = notes.z_pitch;
  outputs["f0_loss_weights"] = notes.f0_loss_weights;
  ASSIGN_OR_RETURN(outputs["pianoroll"], CatchTorch([&] { return PianoRoll(notes.q_pitch); }));
  ASSIGN_OR_RETURN(outputs["f0_hz_pred"], CatchTorch([&] { return MidiToHz(outputs["f0_midi_pred"]); }));
  if (context.losses == LossTerms::kCompute && features.contains("audio")) {
    result.losses = prior_losses;
    RETURN_IF_ERROR(AddLosses(notes, outputs, &result.losses));
  }
  return result;
}

absl::Status MidiAutoencoder::AddLosses(const Notes& notes, const NamedTensors& outputs, NamedTensors* losses) const {
  const auto difference = [&](const ParamDifference& loss, const Tensor& a, const Tensor& b, const Tensor& weights) {
    if (loss.loss) (*losses)[loss.name] = loss.loss(a, b, weights);
  };
  const auto added = CatchTorch([&] {
    const Tensor& f0 = outputs.at("f0_midi_pred");
    difference(parts_.qpitch_f0rec_loss, f0, notes.q_pitch, {});
    if (!notes.z_pitch.defined()) return true;
    difference(parts_.pitch_f0rec_loss, f0, notes.z_pitch, {});
    difference(parts_.pitch_qpitch_loss, notes.z_pitch, notes.q_pitch, {});
    const int64_t frames = notes.z_pitch.size(1);
    if (!parts_.midi_slowness_loss.loss || frames < 2) return true;
    const Tensor q_pitch = notes.q_pitch.detach();
    const Tensor mask = NoteMask(q_pitch, 100, NoteRegions::kAll);
    const Tensor is_short =
        ShortNoteLossMask(mask, NoteLengths(mask), MomentsOfNotes(q_pitch, mask).mean.select(-1, 0)).unsqueeze(-1);
    difference(parts_.midi_slowness_loss, notes.z_pitch.narrow(1, 1, frames - 1),
               notes.z_pitch.narrow(1, 0, frames - 1), is_short.narrow(1, 1, frames - 1));
    return true;
  });
  RETURN_IF_ERROR(added.status());
  if (parts_.reconstruction_losses == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const NamedTensors made, parts_.reconstruction_losses->Run(outputs));
  for (const auto& [path, loss] : made) {
    if (!path.starts_with("out/")) (*losses)[path.substr(path.rfind('/') + 1)] = loss;
  }
  return absl::OkStatus();
}

void MidiAutoencoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  parts_.synthcoder->VisitParameters(prefix + "synthcoder/", visit);
  if (parts_.midi_encoder != nullptr) parts_.midi_encoder->VisitParameters(prefix + "midi_encoder/", visit);
  if (parts_.midi_decoder != nullptr) parts_.midi_decoder->VisitParameters(prefix + "midi_decoder/", visit);
  parts_.processor_group->VisitParameters(prefix + "processor_group/", visit);
  const Latents& latents = parts_.latents;
  for (size_t i = 0; i < latents.z_synth_encoders.size(); ++i) {
    latents.z_synth_encoders[i]->VisitParameters(absl::StrCat(prefix, "z_synth_encoders/", i, "/"), visit);
  }
  for (size_t i = 0; i < latents.z_global_encoders.size(); ++i) {
    latents.z_global_encoders[i]->VisitParameters(absl::StrCat(prefix, "z_global_encoders/", i, "/"), visit);
  }
  if (latents.z_note_encoder != nullptr) latents.z_note_encoder->VisitParameters(prefix + "z_note_encoder/", visit);
  if (latents.z_preconditioning_stack != nullptr) {
    latents.z_preconditioning_stack->VisitParameters(prefix + "z_preconditioning_stack/", visit);
  }
}

}  // namespace ddsp
