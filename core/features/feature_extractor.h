#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/state_bytes.h"
#include "core/features/feature_settings.h"

namespace ddsp {

// Features of the sound about one instant.
struct FeatureFrame {
  // Always finite and inside the pitch range. Where nothing tells the pitch the last one is held; before the first it
  // is the range's geometric middle.
  float f0_hz = 0.0f;
  // How periodic and how harmonic the sound is at f0_hz, 0 to 1. A sung or played note has 0.9, noise hardly ever 0.3.
  float f0_confidence = 0.0f;
  // Whether there is a note: confidence above 0.3 and a level above -54 dB in the 32 ms about the frame.
  bool voiced = false;
  // A-weighted loudness and mean power; floor -80 dB. A full-scale 1 kHz sine has 19.8 and -3.0.
  float loudness_db = -80.0f;
  float power_db = -80.0f;
};

void SaveFrame(const FeatureFrame& frame, StateWriter& writer);
FeatureFrame RestoreFrame(StateReader& reader);

// What a stream's extraction remembers. Of fixed size; Step allocates nothing. Made by FeatureExtractor::MakeState.
class FeatureState {
 public:
  FeatureState(FeatureState&&) noexcept;
  FeatureState& operator=(FeatureState&&) noexcept;
  ~FeatureState();

  // Back to the state before the first Step.
  void Reset();

  // Makes it what it was when it was saved, by an extractor with the same settings. What cannot be read fails the
  // reader.
  void Save(StateWriter& writer) const;
  void Restore(StateReader& reader);

  // Memory of one, that on the heap included.
  static int64_t bytes();

 private:
  friend class FeatureExtractor;
  struct Impl;
  explicit FeatureState(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Room for the Step of a batch. Made once and used again and again, by one call at a time; nothing of a stream stays in
// it.
class FeatureWorkspace {
 public:
  FeatureWorkspace(FeatureWorkspace&&) noexcept;
  FeatureWorkspace& operator=(FeatureWorkspace&&) noexcept;
  ~FeatureWorkspace();

 private:
  friend class FeatureExtractor;
  struct Impl;
  explicit FeatureWorkspace(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A stream's share of the Step of a batch.
struct FeatureRequest {
  std::span<const float> hop;  // the next hop() samples
  FeatureState* state;
  FeatureFrame* frame;  // out
};

// The feature extractor of data sets, training, batch and live use: pitch, loudness and power, frame by frame.
//
// Immutable, hence safe to share; everything that evolves lives in the FeatureState passed to Step(). Streams do not
// touch each other: a stream's frames are the same bits whoever else is stepped, in whatever order.
//
// Frame t is centred on sample t * hop() and depends on samples before t * hop() + lookahead() alone; samples before
// the start count as zero.
//
// A stream begins with preroll() zeros, so that every Step takes exactly hop() samples. With them in front, step k
// (counted from 0) has just seen all that frame k - warmup_steps() needs, and returns that frame. The first
// warmup_steps() results belong to frames before the start: they are silence, to be dropped.
class FeatureExtractor {
 public:
  static absl::StatusOr<std::unique_ptr<FeatureExtractor>> Create(const FeatureSettings& settings);
  ~FeatureExtractor();

  const FeatureSettings& settings() const;
  int hop() const;           // samples
  int lookahead() const;     // samples
  int preroll() const;       // samples, 0 <= preroll < hop
  int warmup_steps() const;  // steps; (warmup_steps + 1) * hop - preroll == lookahead

  FeatureState MakeState() const;

  // Takes the next hop() samples, nominally in [-1, 1]. NaN and infinity count as 0; they are forgotten with the
  // samples about them.
  FeatureFrame Step(std::span<const float> hop_samples, FeatureState& state) const;

  FeatureWorkspace MakeWorkspace() const;

  // The same for many streams, each of which appears once: at three quarters of the cost from a dozen on, to the same
  // bits in any company. Allocates nothing.
  void Step(std::span<const FeatureRequest> requests, FeatureWorkspace& workspace) const;

  // The frames of a whole recording: audio.size() / hop() + 1, through Step, with zeros before and after the audio.
  std::vector<FeatureFrame> Extract(std::span<const float> audio) const;

 private:
  struct Impl;
  explicit FeatureExtractor(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace ddsp
