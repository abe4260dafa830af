// Takes a recording into a data set: decoding, mixing to mono, resampling, features, trimming, all block by block.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/features/feature_extractor.h"
#include "core/training/dataset_writer.h"

namespace ddsp::training {

// The frames of a recording of any length: those of FeatureExtractor::Extract.
class FeatureStream {
 public:
  explicit FeatureStream(const FeatureExtractor& extractor);
  void Push(absl::Span<const float> audio);
  // No more audio: the rest of so many frames, with silence where there is none.
  void Finish(int64_t frames);
  const std::vector<FeatureFrame>& frames() const { return frames_; }

 private:
  void StepHops();

  const FeatureExtractor& extractor_;
  FeatureState state_;
  std::vector<float> waiting_;  // less than a hop, between calls
  int64_t steps_ = 0;
  std::vector<FeatureFrame> frames_;
};

struct IntakeOptions {
  // Silence before the first sound and after the last is cut down to this. A frame sounds that is voiced or louder than
  // silence_db.
  double kept_silence_s = 0.5;
  float silence_db = -60;
};

// What becomes of the samples of a recording.
struct IntakeRates {
  const FeatureExtractor& extractor;  // hears them at its own rate
  int sample_rate;                    // that they are kept at, Hz
};

// What was found in a recording that was taken in.
struct Intake {
  double seconds = 0, trimmed_seconds = 0;
  std::vector<std::string> warnings;  // in plain words
  std::string digest;                 // of the samples as they were read: the same for the same samples
};

// `known`: digests of recordings that were taken in before, and their names.
// Errors: those of AudioReader; FAILED_PRECONDITION for a recording that is silent, too short to learn from, or the
// same as a known one, which on the other side of a split would be learned by heart; those of the sink. After an error
// of a recording (not of the sink) the sink has dropped it, and can take the next.
absl::StatusOr<Intake> TakeIn(const std::string& path, const std::string& name, const IntakeRates& rates,
                              const IntakeOptions& options, const std::map<std::string, std::string>& known,
                              RecordingSink& sink);

}  // namespace ddsp::training
