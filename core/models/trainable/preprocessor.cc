#include "core/models/trainable/preprocessor.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/preprocessing.h"
#include "core/models/trainable/supplied_crepe.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int64_t kCrepeRate = 16000;  // Hz

Tensor Given(const NamedTensors& features, const std::string& name) {
  const auto it = features.find(name);
  return it == features.end() ? Tensor() : it->second;
}

// The level of the audio, or the one given if there is no audio.
absl::StatusOr<Tensor> Level(const NamedTensors& features, const std::string& key,
                             const std::function<Tensor(const Tensor&)>& measure) {
  if (const Tensor audio = Given(features, "audio"); measure && audio.defined()) {
    return CatchTorch([&] { return measure(audio); });
  }
  return Lookup(features, key);
}

Preprocessor F0Loudness(GinArguments& args) {
  const int64_t time_steps = args.Int("time_steps", 1000, 1);
  LevelOptions level;
  level.frame_rate = args.Int("frame_rate", 250, 1);
  level.sample_rate = args.Int("sample_rate", 16000, 1);
  std::function<Tensor(const Tensor&)> measure;
  if (args.Flag("compute_loudness", true))
    measure = [level](const Tensor& audio) { return ComputeLoudness(audio, level); };
  return {"loudness_db", [=](const NamedTensors& features) -> absl::StatusOr<NamedTensors> {
            ASSIGN_OR_RETURN(const Tensor f0_hz, Lookup(features, "f0_hz"));
            ASSIGN_OR_RETURN(const Tensor loudness_db, Level(features, "loudness_db", measure));
            return CatchTorch([&] { return PreprocessF0Loudness(loudness_db, f0_hz, time_steps); });
          }};
}

Preprocessor F0Power(GinArguments& args) {
  const int64_t time_steps = args.Int("time_steps", 1000, 1);
  LevelOptions level;
  level.frame_rate = args.Int("frame_rate", 250, 1);
  level.sample_rate = args.Int("sample_rate", 16000, 1);
  level.frame_size = args.Int("frame_size", 64, 1);
  const auto measure = [level](const Tensor& audio) { return ComputePower(audio, level); };
  return {"power_db", [=](const NamedTensors& features) -> absl::StatusOr<NamedTensors> {
            ASSIGN_OR_RETURN(const Tensor f0_hz, Lookup(features, "f0_hz"));
            ASSIGN_OR_RETURN(const Tensor power_db, Level(features, "power_db", measure));
            return CatchTorch([&] { return PreprocessF0Power(power_db, f0_hz, time_steps); });
          }};
}

absl::StatusOr<CrepePitch> GivenPitch(const NamedTensors& features) {
  ASSIGN_OR_RETURN(const Tensor f0_hz, Lookup(features, "f0_hz"));
  const Tensor confidence = Given(features, "f0_confidence");
  return CrepePitch{f0_hz, confidence.defined() ? confidence : at::ones_like(f0_hz)};
}

// Without a function: the pitch is given.
using PitchTracker = std::function<absl::StatusOr<CrepePitch>(const Tensor& audio)>;

PitchTracker ReadTracker(GinArguments& args, const OnlinePowerOptions& options) {
  const bool viterbi = args.Flag("viterbi", false);
  args.Ignore({"crepe_saved_model_path"});
  if (!args.Flag("compute_f0", true)) return nullptr;
  const std::shared_ptr<const CrepeNetwork> crepe = SuppliedCrepe(args, "crepe_saved_model_path", "full");
  if (options.frame_rate > kCrepeRate) args.Reject("frame_rate", absl::StrCat("is ", options.frame_rate));
  CrepeTrackOptions track;
  track.hop_size = kCrepeRate / options.frame_rate;
  track.padding = options.padding;
  track.decoding = viterbi ? CrepeDecoding::kViterbi : CrepeDecoding::kBestOfFrame;
  return [=](const Tensor& audio) { return CatchTorch([&] { return TrackPitch(*crepe, audio, track); }); };
}

Preprocessor OnlineF0Power(GinArguments& args) {
  OnlinePowerOptions options;
  options.frame_rate = args.Int("frame_rate", 250, 1);
  options.frame_size = args.Int("frame_size", 1024, 1);
  options.padding =
      args.Accept("padding", CatchTorch([&] { return ParseFramePadding(args.Text("padding", "center")); }));
  const PitchTracker track = ReadTracker(args, options);
  const bool compute_power = args.Flag("compute_power", true);
  return {"pw_db", [=](const NamedTensors& features) -> absl::StatusOr<NamedTensors> {
            ASSIGN_OR_RETURN(const Tensor audio,
                             Lookup(features, features.contains("audio_16k") ? "audio_16k" : "audio"));
            ASSIGN_OR_RETURN(const CrepePitch pitch, track ? track(audio) : GivenPitch(features));
            const auto& [f0_hz, confidence] = pitch;
            if (compute_power) {
              return CatchTorch([&] { return PreprocessOnlineF0Power(audio, f0_hz, confidence, options); });
            }
            ASSIGN_OR_RETURN(const Tensor pw_db, Lookup(features, "pw_db"));
            return CatchTorch([&] { return PreprocessGivenF0Power(audio.size(1), pw_db, f0_hz, confidence, options); });
          }};
}

}  // namespace

Preprocessor PreprocessorFromGin(GinArguments& args) {
  Preprocessor preprocessor;
  if (args.class_name() == "preprocessing.F0LoudnessPreprocessor") {
    preprocessor = F0Loudness(args);
  } else if (args.class_name() == "preprocessing.F0PowerPreprocessor") {
    preprocessor = F0Power(args);
  } else if (args.class_name() == "preprocessing.OnlineF0PowerPreprocessor") {
    preprocessor = OnlineF0Power(args);
  } else if (!args.class_name().empty()) {
    args.Reject(absl::StrCat(args.class_name(), " is no preprocessor"));
    return preprocessor;
  }
  args.Finish();
  return preprocessor;
}

}  // namespace ddsp
