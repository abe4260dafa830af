// What a data set's material is like: how long, how loud, how high (upstream: compute_dataset_statistics, its mask
// being our tracker's `voiced`).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/training/dataset.h"

namespace ddsp::training {

// Of one feature over some frames; nothing to measure: zeros and no quantiles.
struct FeatureStatistics {
  double min = 0, max = 0, mean = 0, deviation = 0;
  std::vector<float> quantiles;  // kProfileQuantiles of them, evenly spaced from minimum to maximum
};

struct RecordingStatistics {
  std::string name;
  double seconds = 0, voiced_seconds = 0;
  bool held_out = false;  // all or, where recordings are split by time, a part of it
};

struct DatasetStatistics {
  double seconds = 0, voiced_seconds = 0;
  int64_t training_examples = 0, held_out_examples = 0, silent_examples = 0;  // silent: left out of the training ones
  double training_seconds = 0, held_out_seconds = 0;
  // Pitch is MIDI notes; levels are dB. Of voiced frames, levels of all frames too.
  FeatureStatistics pitch_midi, loudness_db, power_db, voiced_loudness_db, voiced_power_db, confidence;
  std::vector<RecordingStatistics> recordings;
  std::vector<RecordingRemark> skipped, warnings;

  std::string ToJson() const;  // with the quantile tables
  std::string ToTable() const;
};

DatasetStatistics MeasureDataset(const Dataset& dataset);

}  // namespace ddsp::training
