#include "worker/runners/file_runners.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/features/feature_extractor.h"
#include "core/features/feature_table.h"
#include "core/models/performer_profile.h"
#include "worker/runners/voice_player.h"

namespace ddsp::worker {
namespace {

constexpr int kMinStreamRate = 8000, kMaxStreamRate = 48000;
constexpr size_t kWriteSamples = 4096, kWriteFrames = 64;

// Errors of the input's bytes are its own; of the disk, or of memory, everybody's.
FileOutcome OutcomeOfReading(const absl::Status& error) {
  return absl::IsInvalidArgument(error) ? FileOutcome::BadFile(error) : FileOutcome::CannotGoOn(error);
}

absl::Status WithPath(const std::string& path, const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat(path, ": ", error.message()));
}

class ExtractFile : public FileWork {
 public:
  explicit ExtractFile(int frame_rate) { settings_.frame_rate = frame_rate; }

  std::string ending() const override { return ".csv"; }
  FileOutcome Do(const std::string& input, const std::string& output, StopToken&) override {
    const absl::StatusOr<std::unique_ptr<FeatureExtractor>> extractor = FeatureExtractor::Create(settings_);
    if (!extractor.ok()) return FileOutcome::CannotGoOn(extractor.status());
    const absl::StatusOr<AudioFile> file = ReadAudioFile(input);
    if (!file.ok()) return OutcomeOfReading(file.status());
    const auto audio = ResampleFile(file->samples, file->sample_rate, settings_.sample_rate);
    if (!audio.ok()) return OutcomeOfReading(WithPath(input, audio.status()));
    const absl::Status written =
        WriteFileAtomically(output, FormatFeatures({settings_.frame_rate, (*extractor)->Extract(*audio)}));
    return written.ok() ? FileOutcome::Made() : FileOutcome::CannotGoOn(written);
  }

 private:
  FeatureSettings settings_;
};

class TransferFile : public FileWork {
 public:
  TransferFile(const VoicePlayer& player, client::StreamOptions options)
      : player_(player), options_(std::move(options)) {}

  std::string ending() const override { return ".wav"; }
  FileOutcome Do(const std::string& input, const std::string& output, StopToken& stop) override {
    const absl::StatusOr<AudioFile> file = ReadAudioFile(input);
    if (!file.ok()) return OutcomeOfReading(file.status());
    const int rate = std::clamp(file->sample_rate, kMinStreamRate, kMaxStreamRate);
    const auto audio = ResampleFile(file->samples, file->sample_rate, rate);
    if (!audio.ok()) return OutcomeOfReading(WithPath(input, audio.status()));
    const absl::Status played = Play(*audio, rate, file->sample_rate, output, stop);
    return played.ok() ? FileOutcome::Made() : FileOutcome::CannotGoOn(played);
  }

 private:
  absl::Status Play(const std::vector<float>& audio, int rate, int file_rate, const std::string& output,
                    StopToken& stop) {
    options_.input.sample_rate = options_.output.sample_rate = rate;
    const auto write = [&](client::SynthesisStream& stream) -> absl::Status {
      const absl::Span<const float> samples = audio;
      for (size_t at = 0; at < samples.size(); at += kWriteSamples) {
        RETURN_IF_ERROR(stream.Write(samples.subspan(at, kWriteSamples)));
      }
      return absl::OkStatus();
    };
    ASSIGN_OR_RETURN(const std::vector<float> played, player_.Play(options_, write, stop));
    Wav wav{file_rate, 1, {}};
    ASSIGN_OR_RETURN(wav.samples, ResampleFile(played, rate, file_rate));
    return WriteWav(output, wav);
  }

  const VoicePlayer& player_;
  client::StreamOptions options_;
};

class RenderFile : public FileWork {
 public:
  RenderFile(const VoicePlayer& player, client::StreamOptions options)
      : player_(player), options_(std::move(options)) {}

  std::string ending() const override { return ".wav"; }
  FileOutcome Do(const std::string& input, const std::string& output, StopToken& stop) override {
    const absl::StatusOr<std::string> text = ReadFile(input);
    if (!text.ok()) return FileOutcome::CannotGoOn(text.status());
    const absl::StatusOr<FeatureTable> table = ParseFeatures(*text);
    if (!table.ok()) return FileOutcome::BadFile(WithPath(input, table.status()));
    if (options_.input.sample_rate % table->frame_rate != 0) {
      return FileOutcome::BadFile(absl::InvalidArgumentError(
          absl::StrCat(input, ": ", table->frame_rate, " frames a second do not divide ", options_.input.sample_rate)));
    }
    const absl::Status played = Play(*table, output, stop);
    return played.ok() ? FileOutcome::Made() : FileOutcome::CannotGoOn(played);
  }

 private:
  absl::Status Play(const FeatureTable& table, const std::string& output, StopToken& stop) {
    // The rate of the voice, which the first session tells.
    if (options_.output.sample_rate == 0) {
      ASSIGN_OR_RETURN(options_.output.sample_rate, player_.RateOf(options_, stop));
    }
    std::vector<client::ControlFrame> frames;
    for (const FeatureFrame& frame : table.frames) frames.push_back({frame.f0_hz, frame.power_db});
    const int frame_samples = options_.input.sample_rate / table.frame_rate;
    const auto write = [&](client::SynthesisStream& stream) -> absl::Status {
      const absl::Span<const client::ControlFrame> controls = frames;
      for (size_t at = 0; at < controls.size(); at += kWriteFrames) {
        RETURN_IF_ERROR(stream.WriteControls(controls.subspan(at, kWriteFrames), frame_samples));
      }
      return absl::OkStatus();
    };
    Wav wav{options_.output.sample_rate, 1, {}};
    ASSIGN_OR_RETURN(wav.samples, player_.Play(options_, write, stop));
    return WriteWav(output, wav);
  }

  const VoicePlayer& player_;
  client::StreamOptions options_;
};

// A server with no free session may be full for a while.
client::RetryPolicy Patience() {
  client::RetryPolicy policy;
  policy.give_up_after = policy.give_up_unmet_after = absl::Minutes(10);
  return policy;
}

}  // namespace

absl::StatusOr<v1::JobResult> FeaturesRunner::Run(const JobContext& context) const {
  const v1::FeaturesSpec& spec = context.job.spec().features();
  ExtractFile work(spec.frame_rate_hz() == 0 ? 100 : spec.frame_rate_hz());
  return FileBatch(context, work, batch_).Run(spec.inputs());
}

absl::StatusOr<v1::JobResult> TransferRunner::Run(const JobContext& context) const {
  const v1::TransferSpec& spec = context.job.spec().transfer();
  client::StreamOptions options;
  options.model = spec.model();
  options.seed = spec.seed();
  if (!spec.profile().empty()) {
    const absl::StatusOr<PerformerProfile> profile = ParseProfile(spec.profile());
    if (!profile.ok()) return WithPath("spec.transfer.profile is no performer profile", profile.status());
    options.profile = {profile->name, profile->power_quantiles_db, profile->mean_pitch_midi};
  }
  const VoicePlayer player(channel_, Patience());
  TransferFile work(player, std::move(options));
  return FileBatch(context, work, batch_).Run(spec.inputs());
}

absl::StatusOr<v1::JobResult> RenderRunner::Run(const JobContext& context) const {
  const v1::RenderSpec& spec = context.job.spec().render();
  client::StreamOptions options;
  options.model = spec.model();
  options.seed = spec.seed();
  options.input.sample_rate = 16000;
  options.drive = client::Drive::kControls;
  const VoicePlayer player(channel_, Patience());
  RenderFile work(player, std::move(options));
  return FileBatch(context, work, batch_).Run(spec.inputs());
}

}  // namespace ddsp::worker
