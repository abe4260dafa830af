// Autoencoders with notes in the middle (upstream: training/models/midi_autoencoder.py).
//
// Upstream's are unfinished. Here, with what is wrong there:
// - Features are preprocessed once. Upstream does it again without the audio, which F0LoudnessPreprocessor rejects.
// - Without a MIDI decoder the notes' sound and controls are those of the synthcoder (upstream: NameError).
// - The model's audio is the notes' where there is a MIDI decoder, the synthcoder's elsewhere (upstream: the other way
//   round).
// - Latents of notes are the means over each (upstream concatenates a tuple of means and deviations, which fails), and
//   need no global ones beside them.
// - mask_f0_loss = False gives the weight 1 (upstream: no weights, which the recipe's loss group does not find).
// - A prior on latents of notes is on those means.
// - The losses of closeness are |f0 - pitch| under a ParamLoss, the slowness of short notes is the change of z_pitch
//   from frame to frame under one: the losses that upstream wrote them for (MarginLoss, ...) are not part of it, and
//   its note lengths have one axis too few.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/graph/dag_layer.h"
#include "core/models/trainable/control_decoder.h"
#include "core/models/trainable/model.h"
#include "core/models/trainable/net.h"
#include "core/models/trainable/preprocessor.h"
#include "core/models/trainable/prior.h"
#include "core/models/trainable/trainable_group.h"
#include "core/models/trainable/z_encoder.h"
#include "core/nn/conv_decoders.h"

namespace ddsp {

// Harmonic controls to notes: a net over f0 (MIDI), amplitudes, distribution and noise. Upstream:
// HarmonicToMidiEncoder.
class HarmonicToMidiEncoder : public Layer {
 public:
  enum class Pitch { kFromNet, kAddedToF0 };  // upstream: f0_residual = false, true
  HarmonicToMidiEncoder(std::unique_ptr<Net> net, Pitch pitch);
  // All [batch, time, channels]; amps and noise in dB. Returns z_pitch and z_vel [batch, time, 1].
  NamedTensors Forward(const at::Tensor& f0_midi, const at::Tensor& amps, const at::Tensor& hd,
                       const at::Tensor& noise) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  std::unique_ptr<Net> net_;
  Normalize norm_;
  Dense dense_out_;
  const Pitch pitch_;
};

// A difference of two tensors with optional weights. Upstream: ParamLoss.
struct ParamDifference {
  std::string name;
  std::function<at::Tensor(const at::Tensor& prediction, const at::Tensor& target, const at::Tensor& weights)> loss;
};

// Pitch and level to controls and sound (the synthcoder), those controls to notes, notes to controls and sound again.
//
// Features: f0_hz, the level or audio, audio for the loss; without a MIDI encoder note_active_velocities [batch,
// frames, 128], the score. Outputs: the features; synth_audio and midi_audio; q_pitch, q_vel (always 0), z_pitch,
// pianoroll [batch, frames, 128], f0_midi_pred, f0_hz_pred; amps, hd and noise with their _pred, amps and noise in dB;
// f0_loss_weights; the controls of the synthcoder's sound ("harmonic/controls/f0_hz").
class MidiAutoencoder : public TrainableModel {
 public:
  // The latents of a ZMidiAutoencoder, each of which may be missing.
  struct Latents {
    std::vector<std::unique_ptr<ZEncoder>> z_synth_encoders;   // condition the synthcoder
    std::vector<std::unique_ptr<ZEncoder>> z_global_encoders;  // condition the MIDI decoder
    std::unique_ptr<ZEncoder> z_note_encoder;                  // the same, averaged over each note
    std::unique_ptr<Net> z_preconditioning_stack;              // over both
    LatentPrior z_global_prior, z_note_prior;
  };
  struct Parts {
    Preprocessor preprocessor;
    std::unique_ptr<ControlDecoder> synthcoder;           // to amplitudes, harmonic_distribution and magnitudes
    std::unique_ptr<HarmonicToMidiEncoder> midi_encoder;  // null: the features have the notes
    std::unique_ptr<MidiToHarmonicDecoder> midi_decoder;  // null: the notes are not played
    std::unique_ptr<TrainableGroup> processor_group;
    bool sg_before_midiae = true;  // whether errors of the notes leave the synthcoder alone
    bool mask_f0_loss = true;      // whether frames more than two semitones from their note do not count
    std::unique_ptr<DagLayer> reconstruction_losses;  // null: none
    ParamDifference qpitch_f0rec_loss, pitch_f0rec_loss, pitch_qpitch_loss, midi_slowness_loss;
    Latents latents;
  };
  explicit MidiAutoencoder(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<ModelOutputs> Run(const NamedTensors& features, const ModelContext& context = {}) const override;
  std::string AudioOutput() const override { return parts_.midi_decoder == nullptr ? "synth_audio" : "midi_audio"; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  struct Notes {
    at::Tensor z_pitch;  // before rounding; undefined if they are given
    at::Tensor q_pitch, f0_loss_weights;
  };
  absl::StatusOr<NamedTensors> Preprocess(const NamedTensors& features) const;
  absl::Status AddSynthcoder(const ModelContext& context, NamedTensors* outputs) const;
  absl::StatusOr<Notes> FindNotes(const NamedTensors& outputs) const;
  // z_global, z_notes and the losses of their priors by name.
  struct FoundLatents {
    NamedTensors z, losses;
  };
  absl::StatusOr<at::Tensor> LatentsOf(const NamedTensors& outputs, const at::Tensor& q_pitch,
                                       const ModelContext& context, FoundLatents* found) const;
  absl::StatusOr<NamedTensors> PlayNotes(const Notes& notes, const ModelContext& context, NamedTensors* outputs) const;
  absl::Status AddLosses(const Notes& notes, const NamedTensors& outputs, NamedTensors* losses) const;

  Parts parts_;
};

// models.MidiAutoencoder, ZMidiAutoencoder. Null if there is a problem.
std::unique_ptr<TrainableModel> MidiAutoencoderFromGin(GinArguments& args);

}  // namespace ddsp
