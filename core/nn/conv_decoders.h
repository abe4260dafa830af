// Decoders of dilated convolutions (upstream: training/decoders.py). They look ahead: not for streams.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <vector>

#include "core/nn/dilated_conv_stack.h"
#include "core/nn/fully_connected.h"
#include "core/nn/rnn_fc_decoder.h"

namespace ddsp {

// Channels of a tensor [..., channels] cut into named pieces in order. Upstream: split_to_dict.
NamedTensors SplitChannels(const at::Tensor& x, const std::vector<RnnFcDecoder::Feature>& splits);

// A stack over the concatenated inputs, conditioned by the concatenated conditioning inputs. Upstream:
// DilatedConvDecoder.
class DilatedConvDecoder : public Layer {
 public:
  struct Options {
    DilatedConvStack::Options stack;  // `in` and `z_channels` are computed from the features
    std::vector<RnnFcDecoder::Feature> inputs = {{"ld_scaled"}, {"f0_scaled"}};
    std::vector<RnnFcDecoder::Feature> conditioning;
    int64_t precondition_ch = 0, precondition_layers = 0;  // an FcStack before the conditioning; 0: none
    std::vector<RnnFcDecoder::Feature> output_splits = {{"amps", 1}, {"harmonic_distribution", 60}};
  };
  explicit DilatedConvDecoder(const Options& options);
  // inputs: each [batch, time, channels]. Errors: NOT_FOUND naming the input, INVALID_ARGUMENT for shapes.
  absl::StatusOr<NamedTensors> Forward(const NamedTensors& inputs) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Options options_;
  FcStack precondition_;
  DilatedConvStack stack_;
  Dense dense_out_;
};

// Notes to pitch and loudness. z_pitch: MIDI [batch, time, 1]. Upstream: MidiDecoder with a DilatedConvStack.
class MidiDecoder : public Layer {
 public:
  explicit MidiDecoder(const DilatedConvStack::Options& net);
  // Returns f0_midi and loudness (dB).
  NamedTensors Forward(const at::Tensor& z_pitch) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  DilatedConvStack net_;
  Normalize norm_;
  Dense dense_out_;
};

// Notes to the controls of a harmonic synthesiser. Upstream: MidiToHarmonicDecoder with a DilatedConvStack.
class MidiToHarmonicDecoder : public Layer {
 public:
  MidiToHarmonicDecoder(const DilatedConvStack::Options& net, std::vector<RnnFcDecoder::Feature> output_splits);
  // Returns the splits, f0_midi among them, and f0_hz; note 0 is silence, 0 Hz. z [batch, time, channels] conditions a
  // net that has z_channels, else it is undefined.
  NamedTensors Forward(const at::Tensor& z_pitch, const at::Tensor& z = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  std::vector<RnnFcDecoder::Feature> output_splits_;
  DilatedConvStack net_;
  Normalize norm_;
  Dense dense_out_;
};

}  // namespace ddsp
