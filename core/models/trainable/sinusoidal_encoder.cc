#include "core/models/trainable/sinusoidal_encoder.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/spectrogram.h"

namespace ddsp {
namespace {

using at::Tensor;

int64_t FftBins(int64_t frame_size) {
  int64_t size = 1;
  while (size < frame_size) size *= 2;
  return size / 2 + 1;
}

StftOptions ReadStft(GinArguments& args, const std::string& size) {
  StftOptions stft;
  stft.frame_size = args.Int(size, 2048, 2);
  stft.overlap = args.Number("overlap", 0.75);
  if (!args.Flag("pad_end", true)) stft.padding = FramePadding::kValid;
  if (stft.overlap < 0 || stft.overlap >= 1 || HopOf(stft) < 1) args.Reject("overlap", "leaves no hop");
  return stft;
}

// Sets spectrogram and bins.
void ReadSpectrogram(GinArguments& args, ResnetSinusoidalEncoder::Options* options) {
  const std::string& name = args.class_name();
  if (name == "spectral_ops.compute_logmel" || name == "spectral_ops.compute_mel") {
    const bool log = name.ends_with("logmel");
    MelOptions mel;
    mel.lo_hz = args.Number("lo_hz", log ? 80 : 0);
    mel.hi_hz = args.Number("hi_hz", log ? 7600 : 8000);
    mel.bins = args.Int("bins", 64, 1);
    mel.sample_rate = args.Number("sample_rate", 16000);
    mel.stft = ReadStft(args, "fft_size");
    options->bins = mel.bins;
    options->spectrogram = [=](const Tensor& audio) {
      return log ? ComputeLogmel(audio, mel) : ComputeMel(audio, mel);
    };
  } else if (name == "spectral_ops.compute_logmag" || name == "spectral_ops.compute_mag") {
    const bool log = name.ends_with("logmag");
    const StftOptions stft = ReadStft(args, "size");
    options->bins = FftBins(stft.frame_size);
    options->spectrogram = [=](const Tensor& audio) {
      return log ? ComputeLogmag(audio, stft) : ComputeMag(audio, stft);
    };
  } else if (!name.empty()) {
    args.Reject(absl::StrCat(name, " is no spectrogram"));
  }
  args.Finish();
}

}  // namespace

ResnetSinusoidalEncoder::ResnetSinusoidalEncoder(Options options)
    : options_(std::move(options)), resnet_({options_.size}) {
  const int64_t channels = ResNet::OutBins(options_.bins) * resnet_.out_channels();
  for (const auto& [name, size] : options_.output_splits) dense_outs_.emplace_back(channels, size);
}

int64_t ResnetSinusoidalEncoder::ChannelsOf(const std::string& output) const {
  for (const auto& [name, size] : options_.output_splits) {
    if (name == output) return size;
  }
  return 0;
}

NamedTensors ResnetSinusoidalEncoder::Forward(const Tensor& audio) const {
  const Tensor x = resnet_.Forward(options_.spectrogram(audio).unsqueeze(-1)).flatten(2);
  NamedTensors outputs;
  for (size_t i = 0; i < dense_outs_.size(); ++i) outputs[options_.output_splits[i].first] = dense_outs_[i].Forward(x);
  return outputs;
}

void ResnetSinusoidalEncoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  resnet_.VisitParameters(prefix + "resnet/", visit);
  for (size_t i = 0; i < dense_outs_.size(); ++i) {
    dense_outs_[i].VisitParameters(absl::StrCat(prefix, "dense_outs/", i, "/"), visit);
  }
}

std::unique_ptr<ResnetSinusoidalEncoder> SinusoidalEncoderFromGin(GinArguments& args) {
  if (args.class_name() != "encoders.ResnetSinusoidalEncoder") {
    if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no sinusoidal encoder"));
    return nullptr;
  }
  ResnetSinusoidalEncoder::Options options;
  options.size = args.Accept("size", ParseResNetSize(args.Text("size", "tiny")));
  options.output_splits = args.ReadSplits("output_splits", options.output_splits);
  std::optional<GinArguments> spectrogram = args.Child("spectral_fn");
  if (!spectrogram) {
    spectrogram.emplace(args.config(), gin::Value(gin::Reference{"", "spectral_ops.compute_logmel"}), args.scope(),
                        &args.problems());
  }
  ReadSpectrogram(*spectrogram, &options);
  args.Finish();
  if (!options.spectrogram) return nullptr;
  return std::make_unique<ResnetSinusoidalEncoder>(std::move(options));
}

}  // namespace ddsp
