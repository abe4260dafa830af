#include "core/training/dataset_intake.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/audio/audio_reader.h"
#include "core/audio/file_resampler.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

constexpr int64_t kBlock = 65536;  // samples of the file
constexpr double kShortestSeconds = 0.5;

// Flat tops at full scale, as a converter leaves them that was driven too hard.
class ClippingMeter {
 public:
  void Push(absl::Span<const float> audio) {
    for (const float sample : audio) {
      run_ = std::fabs(sample) >= kFullScale ? run_ + 1 : 0;
      // The third sample of a run says that the two before it were clipped as well.
      clipped_ += run_ == kRun ? kRun : (run_ > kRun ? 1 : 0);
    }
    samples_ += static_cast<int64_t>(audio.size());
  }
  double share() const { return samples_ > 0 ? static_cast<double>(clipped_) / static_cast<double>(samples_) : 0; }

 private:
  static constexpr float kFullScale = 0.999f;
  static constexpr int64_t kRun = 3;
  int64_t run_ = 0, clipped_ = 0, samples_ = 0;
};
constexpr double kClippedShare = 1e-4;

// In the voiced frames of one instrument confidence is below 0.7 in 2 of 100 (violin, flute, saxophone and trumpet, the
// bundled melodies), in mixtures of two of them in 23 to 39.
constexpr float kDoubtful = 0.7f;
constexpr double kDoubtfulShare = 0.15;

double DoubtfulShare(const std::vector<FeatureFrame>& frames) {
  int64_t voiced = 0, doubtful = 0;
  for (const FeatureFrame& frame : frames) {
    if (!frame.voiced) continue;
    ++voiced;
    doubtful += frame.f0_confidence < kDoubtful ? 1 : 0;
  }
  return voiced > 0 ? static_cast<double>(doubtful) / static_cast<double>(voiced) : 0;
}

// Cuts the silence from both ends of a recording on its way to the sink.
class Trimmer {
 public:
  Trimmer(const FeatureStream& features, int hop, int64_t margin_frames, float silence_db, RecordingSink& sink)
      : features_(features), hop_(hop), margin_(margin_frames), silence_db_(silence_db), sink_(sink) {}

  // `audio` has been pushed to the features already.
  absl::Status Push(absl::Span<const float> audio) {
    waiting_.insert(waiting_.end(), audio.begin(), audio.end());
    Listen();
    if (first_ < 0) {
      // What is further back than the margin is dropped whenever the first sound comes.
      ForgetUntil(std::max<int64_t>(0, heard_ - margin_) * hop_);
      return absl::OkStatus();
    }
    ForgetUntil(begin());
    RETURN_IF_ERROR(sink_.Append(waiting_));
    passed_ += static_cast<int64_t>(waiting_.size());
    waiting_.clear();
    return absl::OkStatus();
  }

  bool silent() const { return first_ < 0; }

  // Ends the recording; `samples` were pushed. Not of a silent one. Returns how many were kept.
  absl::StatusOr<int64_t> Finish(int64_t samples) {
    RETURN_IF_ERROR(Push({}));
    const int64_t end = std::min(samples, (last_ + 1 + margin_) * hop_), kept = end - begin();
    const auto first = features_.frames().begin() + begin() / hop_;
    RETURN_IF_ERROR(sink_.End(kept, std::vector<FeatureFrame>(first, first + kept / hop_ + 1)));
    return kept;
  }

 private:
  // First sample that is kept; it lies on a frame.
  int64_t begin() const { return std::max<int64_t>(0, first_ - margin_) * hop_; }

  void Listen() {
    const std::vector<FeatureFrame>& frames = features_.frames();
    for (; heard_ < static_cast<int64_t>(frames.size()); ++heard_) {
      if (!frames[heard_].voiced && frames[heard_].power_db <= silence_db_) continue;
      if (first_ < 0) first_ = heard_;
      last_ = heard_;
    }
  }

  void ForgetUntil(int64_t sample) {
    const int64_t behind = std::clamp<int64_t>(sample - passed_, 0, static_cast<int64_t>(waiting_.size()));
    waiting_.erase(waiting_.begin(), waiting_.begin() + behind);
    passed_ += behind;
  }

  const FeatureStream& features_;
  const int64_t hop_, margin_;
  const float silence_db_;
  RecordingSink& sink_;
  std::vector<float> waiting_;                  // samples from passed_ on
  int64_t passed_ = 0;                          // samples that went to the sink or were forgotten
  int64_t heard_ = 0, first_ = -1, last_ = -1;  // frames: looked at; the first and the last that sound
};

// The samples of a file at the rate of the data set, and their features.
class Ears {
 public:
  static absl::StatusOr<Ears> Create(int file_rate, const IntakeRates& rates) {
    const int heard = rates.extractor.settings().sample_rate;
    ASSIGN_OR_RETURN(FileResampler kept, FileResampler::Create(file_rate, rates.sample_rate));
    Ears ears(rates, std::move(kept));
    if (heard == rates.sample_rate) return ears;
    ASSIGN_OR_RETURN(FileResampler resampler, FileResampler::Create(file_rate, heard));
    ears.to_features_.emplace(std::move(resampler));
    return ears;
  }

  // Takes samples of the file, none at its end. Returns what they become; valid until the next call.
  absl::StatusOr<absl::Span<const float>> Hear(absl::Span<const float> there) {
    RETURN_IF_ERROR(Convert(kept_, there, &audio_));
    samples_ += static_cast<int64_t>(audio_.size());
    if (to_features_) RETURN_IF_ERROR(Convert(*to_features_, there, &heard_));
    features_->Push(to_features_ ? heard_ : audio_);
    if (there.empty()) features_->Finish(samples_ / hop_ + 1);
    return audio_;
  }

  const FeatureStream& features() const { return *features_; }
  int hop() const { return hop_; }
  int64_t samples() const { return samples_; }  // so far

 private:
  Ears(const IntakeRates& rates, FileResampler kept)
      : hop_(rates.sample_rate / rates.extractor.settings().frame_rate),
        kept_(std::move(kept)),
        features_(std::make_unique<FeatureStream>(rates.extractor)) {}

  static absl::Status Convert(FileResampler& resampler, absl::Span<const float> there, std::vector<float>* out) {
    out->clear();
    return there.empty() ? resampler.Finish(out) : resampler.Push(there, out);
  }

  const int hop_;
  FileResampler kept_;
  std::optional<FileResampler> to_features_;  // none where they are of the samples that are kept
  std::unique_ptr<FeatureStream> features_;
  std::vector<float> audio_, heard_;
  int64_t samples_ = 0;
};

// A recording on its way; the sink has begun it.
absl::StatusOr<Intake> ReadThrough(AudioReader& reader, const IntakeRates& rates, const IntakeOptions& options,
                                   const std::map<std::string, std::string>& known, RecordingSink& sink) {
  ASSIGN_OR_RETURN(Ears ears, Ears::Create(reader.sample_rate(), rates));
  const int frame_rate = rates.extractor.settings().frame_rate;
  Trimmer trimmer(ears.features(), ears.hop(), std::llround(options.kept_silence_s * frame_rate), options.silence_db,
                  sink);
  ClippingMeter clipping;
  Intake intake;
  std::vector<float> block(kBlock);
  for (int64_t read = kBlock; read > 0;) {
    ASSIGN_OR_RETURN(read, reader.Read(absl::MakeSpan(block)));
    const absl::Span<const float> there(block.data(), read);
    clipping.Push(there);
    intake.digest = Sha256Hex(absl::StrCat(
        intake.digest, absl::string_view(reinterpret_cast<const char*>(there.data()), there.size() * sizeof(float))));
    ASSIGN_OR_RETURN(const absl::Span<const float> audio, ears.Hear(there));
    RETURN_IF_ERROR(trimmer.Push(audio));
  }
  intake.digest = Sha256Hex(absl::StrCat(intake.digest, " ", reader.sample_rate()));
  intake.seconds = static_cast<double>(ears.samples()) / rates.sample_rate;
  if (intake.seconds < kShortestSeconds) {
    return absl::FailedPreconditionError(
        absl::StrFormat("lasts %.2f s; less than %.1f s is too short", intake.seconds, kShortestSeconds));
  }
  if (trimmer.silent()) {
    return absl::FailedPreconditionError(absl::StrFormat("is silent: nothing in its %.1f s is voiced or above %g dB",
                                                         intake.seconds, static_cast<double>(options.silence_db)));
  }
  if (const auto same = known.find(intake.digest); same != known.end()) {
    return absl::FailedPreconditionError(absl::StrCat("holds the same samples as ", same->second));
  }
  ASSIGN_OR_RETURN(const int64_t kept, trimmer.Finish(ears.samples()));
  intake.trimmed_seconds = static_cast<double>(ears.samples() - kept) / rates.sample_rate;
  if (clipping.share() > kClippedShare) {
    intake.warnings.push_back(
        absl::StrFormat("clipped: %.2f %% of the samples lie flat at full scale", 100 * clipping.share()));
  }
  if (const double doubtful = DoubtfulShare(ears.features().frames()); doubtful > kDoubtfulShare) {
    intake.warnings.push_back(absl::StrFormat(
        "more than one note at a time, or noise: pitch is doubtful in %.0f %% of the voiced frames", 100 * doubtful));
  }
  if (reader.sample_rate() < rates.sample_rate) {
    intake.warnings.push_back(
        absl::StrFormat("nothing above %d Hz is in it, which a voice of %d Hz will not have learned",
                        reader.sample_rate() / 2, rates.sample_rate));
  }
  if (reader.samples() < reader.promised_samples()) {
    intake.warnings.push_back(absl::StrFormat("cut off: %d of the %d samples that its header promises",
                                              reader.samples(), reader.promised_samples()));
  }
  return intake;
}

}  // namespace

FeatureStream::FeatureStream(const FeatureExtractor& extractor)
    : extractor_(extractor), state_(extractor.MakeState()), waiting_(extractor.preroll()) {}

void FeatureStream::StepHops() {
  const size_t hop = extractor_.hop();
  size_t at = 0;
  for (; at + hop <= waiting_.size(); at += hop) {
    const FeatureFrame frame = extractor_.Step(std::span(waiting_).subspan(at, hop), state_);
    if (steps_++ >= extractor_.warmup_steps()) frames_.push_back(frame);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
}

void FeatureStream::Push(absl::Span<const float> audio) {
  waiting_.insert(waiting_.end(), audio.begin(), audio.end());
  StepHops();
}

void FeatureStream::Finish(int64_t frames) {
  while (static_cast<int64_t>(frames_.size()) < frames) {
    waiting_.resize(waiting_.size() + extractor_.hop());
    StepHops();
  }
  frames_.resize(frames);
}

absl::StatusOr<Intake> TakeIn(const std::string& path, const std::string& name, const IntakeRates& rates,
                              const IntakeOptions& options, const std::map<std::string, std::string>& known,
                              RecordingSink& sink) {
  ASSIGN_OR_RETURN(AudioReader reader, AudioReader::Open(path));
  RETURN_IF_ERROR(sink.Begin(name));
  absl::StatusOr<Intake> intake = ReadThrough(reader, rates, options, known, sink);
  if (!intake.ok()) RETURN_IF_ERROR(sink.Drop());
  return intake;
}

}  // namespace ddsp::training
