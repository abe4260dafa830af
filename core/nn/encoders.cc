#include "core/nn/encoders.h"

#include "core/dsp/argument.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/scaling.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;
constexpr int64_t kMfccs = 30;

Tensor Mfccs(const Tensor& audio, const StftOptions& stft) {
  MelOptions mel;
  mel.lo_hz = 20.0;
  mel.hi_hz = 8000.0;
  mel.bins = 128;
  mel.stft = stft;
  return ComputeMfcc(audio, kMfccs, mel);
}

StftOptions StftFor(int64_t z_time_steps) {
  switch (z_time_steps) {
    case 63:
      return {2048, 0.5, FramePadding::kSame};
    case 125:
      return {1024, 0.5, FramePadding::kSame};
    case 250:
      return {1024, 0.75, FramePadding::kSame};
    case 500:
      return {512, 0.75, FramePadding::kSame};
    case 1000:
      return {256, 0.75, FramePadding::kSame};
    default:
      break;
  }
  DDSP_CHECK_ARGUMENT(false, "z_time_steps is ", z_time_steps, ", expected 63, 125, 250, 500 or 1000");
}

}  // namespace

at::Tensor ExpandZ(const Tensor& z, int64_t time_steps) {
  const Tensor steps = z.dim() == 2 ? z.unsqueeze(1) : z;
  return steps.size(1) == time_steps ? steps : Resample(steps, time_steps);
}

MfccTimeDistributedRnnEncoder::MfccTimeDistributedRnnEncoder(const Options& options)
    : stft_(StftFor(options.z_time_steps)),
      z_norm_(kMfccs, NormType::kInstance),
      rnn_({kMfccs, options.rnn_channels, options.rnn_type}),
      dense_out_(options.rnn_channels, options.z_dims) {}

at::Tensor MfccTimeDistributedRnnEncoder::Forward(const Tensor& audio, int64_t time_steps) const {
  return ExpandZ(dense_out_.Forward(rnn_.Forward(z_norm_.Forward(Mfccs(audio, stft_)))), time_steps);
}

void MfccTimeDistributedRnnEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  z_norm_.VisitParameters(prefix + "z_norm/", visit);
  rnn_.VisitParameters(prefix + "rnn/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

MfccRnnEncoder::MfccRnnEncoder(const Options& options)
    : norm_in_(kMfccs, NormType::kInstance),
      rnn_({kMfccs, options.rnn_channels, options.rnn_type}),
      dense_z_(options.rnn_channels, options.z_dims) {}

at::Tensor MfccRnnEncoder::Forward(const Tensor& audio, int64_t time_steps) const {
  const Tensor z = rnn_.Forward(norm_in_.Forward(Mfccs(audio, {1024, 0.75, FramePadding::kSame})));
  return ExpandZ(dense_z_.Forward(z.mean(1, /*keepdim=*/true)), time_steps);
}

void MfccRnnEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  norm_in_.VisitParameters(prefix + "norm_in/", visit);
  rnn_.VisitParameters(prefix + "rnn/", visit);
  dense_z_.VisitParameters(prefix + "dense_z/", visit);
}

at::Tensor AggregateFeaturesEncoder::Forward(const Tensor& f0_scaled, const Tensor& ld_scaled) const {
  const Tensor z = fc_.Forward(at::cat({f0_scaled, ld_scaled}, -1)).mean(1, /*keepdim=*/true);
  return ExpandZ(z, f0_scaled.size(1));
}

void AggregateFeaturesEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  fc_.VisitParameters(prefix + "fc/", visit);
}

at::Tensor OneHotEncoder::Forward(const Tensor& indices) const {
  const int64_t categories = embeddings_.shape[0];
  DDSP_CHECK_ARGUMENT((indices >= 0).logical_and(indices < categories).all().item<bool>(),
                      "an index is none of the ", categories, " categories");
  return at::embedding(embeddings_.value, indices.to(at::kLong));
}

void OneHotEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "embedding/embeddings", embeddings_);
}

SinusoidalToHarmonicEncoder::SinusoidalToHarmonicEncoder(const Options& options)
    : options_(options),
      net_(options.net),
      amp_out_(net_.out_channels(), 1),
      hd_out_(net_.out_channels(), options.n_harmonics),
      f0_out_(net_.out_channels(), options.f0_depth) {}

NamedTensors SinusoidalToHarmonicEncoder::Forward(const Tensor& sin_freqs, const Tensor& sin_amps) const {
  const Tensor unit = HzToUnit(sin_freqs, 0.0, options_.sample_rate / 2);
  const Tensor x = net_.Forward(at::cat({unit, sin_amps}, -1));
  const Tensor f0_hz = FrequenciesSoftmax(f0_out_.Forward(x), {options_.f0_depth, 20.0, 1200.0});
  return {{"harm_amp", ExpSigmoid(amp_out_.Forward(x))},
          {"harm_dist", NormalizeHarmonics(ExpSigmoid(hd_out_.Forward(x)), f0_hz, options_.sample_rate)},
          {"f0_hz", f0_hz}};
}

void SinusoidalToHarmonicEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  net_.VisitParameters(prefix + "net/", visit);
  amp_out_.VisitParameters(prefix + "amp_out/", visit);
  hd_out_.VisitParameters(prefix + "hd_out/", visit);
  f0_out_.VisitParameters(prefix + "f0_out/", visit);
}

}  // namespace ddsp
