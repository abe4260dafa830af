#include "core/training/example_windows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/training/seed.h"

namespace ddsp::training {
namespace {

int64_t Length(const Recording& recording) { return static_cast<int64_t>(recording.audio.size()); }

DataSplit SplitByRecording(const Dataset& dataset, double fraction) {
  std::vector<int> order(dataset.recordings.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const auto hash = [&](int r) { return DeriveSeed(0, dataset.recordings[r].name, 0); };
    return std::pair(hash(a), a) < std::pair(hash(b), b);
  });
  const std::vector<Segment> whole = WholeRecordings(dataset);
  double wanted = fraction * dataset.seconds() * dataset.sample_rate;
  DataSplit split;
  for (const int r : order) {
    (wanted > 0 ? split.held_out : split.training).push_back(whole[r]);
    wanted -= static_cast<double>(whole[r].end);
  }
  return split;
}

DataSplit SplitByTime(const Dataset& dataset, const SplitOptions& options) {
  const int64_t hop = dataset.hop();
  DataSplit split;
  for (Segment whole : WholeRecordings(dataset)) {
    const int64_t begin = static_cast<int64_t>((1 - options.held_out_fraction) * whole.end) / hop * hop;
    // Nothing is to be held out, or it is too short to give both a window to train on and a gap.
    if (options.held_out_fraction <= 0 || begin < 2 * options.gap_samples) {
      split.training.push_back(whole);
      continue;
    }
    split.training.push_back({whole.recording, 0, begin - options.gap_samples});
    split.held_out.push_back({whole.recording, begin, whole.end});
  }
  return split;
}

bool Sounds(const Dataset& dataset, const Segment& window, const WindowOptions& options) {
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, window);
  const auto sounding = std::count_if(frames.begin(), frames.end(), [&](const FeatureFrame& frame) {
    return frame.voiced || frame.power_db > options.silence_db;
  });
  return sounding >= options.min_sounding * frames.size();
}

}  // namespace

std::vector<Segment> WholeRecordings(const Dataset& dataset) {
  std::vector<Segment> segments;
  for (size_t r = 0; r < dataset.recordings.size(); ++r) {
    segments.push_back({static_cast<int>(r), 0, Length(dataset.recordings[r])});
  }
  return segments;
}

DataSplit SplitDataset(const Dataset& dataset, const SplitOptions& options) {
  if (static_cast<int64_t>(dataset.recordings.size()) >= options.min_recordings) {
    return SplitByRecording(dataset, options.held_out_fraction);
  }
  return SplitByTime(dataset, options);
}

WindowOptions WindowsOf(const Dataset& dataset) {
  const auto samples = [&](double seconds) {
    return std::llround(seconds * dataset.settings.frame_rate) * dataset.hop();
  };
  WindowOptions options;
  options.window_samples = samples(dataset.examples.example_secs);
  options.hop_samples = samples(dataset.examples.hop_secs);
  options.chunk_samples = samples(dataset.examples.chunk_secs);
  return options;
}

SplitOptions SplitOf(const Dataset& dataset) {
  SplitOptions options;
  options.held_out_fraction = dataset.examples.held_out_fraction;
  options.gap_samples = WindowsOf(dataset).window_samples;
  return options;
}

ExampleWindows ListWindows(const Dataset& dataset, const std::vector<Segment>& segments, const WindowOptions& options) {
  ExampleWindows examples;
  const auto add = [&](const Segment& window) {
    if (Sounds(dataset, window, options)) {
      examples.windows.push_back(window);
    } else {
      ++examples.silent;
    }
  };
  for (const Segment& segment : segments) {
    const bool to_the_end = segment.end >= Length(dataset.recordings[segment.recording]);
    if (options.chunk_samples > 0) {
      for (int64_t chunk = segment.begin; chunk < segment.end; chunk += options.chunk_samples) {
        for (int64_t begin = chunk; begin + options.window_samples <= chunk + options.chunk_samples;
             begin += options.hop_samples) {
          const int64_t end = begin + options.window_samples;
          if (end <= segment.end || to_the_end) add({segment.recording, begin, end});
        }
      }
      continue;
    }
    if (segment.end - segment.begin < options.window_samples && !to_the_end) continue;  // the rest is someone else's
    int64_t begin = segment.begin;
    do {
      add({segment.recording, begin, begin + options.window_samples});
      begin += options.hop_samples;
    } while (begin + options.window_samples <= segment.end);
  }
  return examples;
}

Segment FirstSound(const Dataset& dataset, Segment from, double seconds) {
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, from);
  const auto voiced =
      std::find_if(frames.begin(), frames.end(), [](const FeatureFrame& frame) { return frame.voiced; });
  if (voiced != frames.end()) from.begin += (voiced - frames.begin()) * dataset.hop();
  from.end = from.begin + std::llround(seconds * dataset.sample_rate);
  return from;
}

ShuffledOrder::ShuffledOrder(uint64_t seed, int64_t examples) : seed_(seed), permutation_(examples) {}

int64_t ShuffledOrder::At(int64_t position) {
  const int64_t examples = static_cast<int64_t>(permutation_.size()), epoch = position / examples;
  if (epoch != epoch_) {
    epoch_ = epoch;
    std::iota(permutation_.begin(), permutation_.end(), 0);
    // Fisher and Yates; the bias of the remainder is below 1e-12 for any data set that fits a disk.
    for (int64_t i = examples - 1; i > 0; --i) {
      const uint64_t draw = DeriveSeed(DeriveSeed(seed_, "epoch", epoch), "swap", i);
      std::swap(permutation_[i], permutation_[draw % static_cast<uint64_t>(i + 1)]);
    }
  }
  return permutation_[position % examples];
}

void CopyAudio(const Dataset& dataset, const Segment& window, float* audio) {
  const SharedArray<float>& from = dataset.recordings[window.recording].audio;
  const int64_t size = window.end - window.begin;
  const int64_t begin = std::min(window.begin, static_cast<int64_t>(from.size()));
  const int64_t inside = std::min(static_cast<int64_t>(from.size()) - begin, size);
  std::copy_n(from.begin() + begin, inside, audio);
  std::fill(audio + inside, audio + size, 0.0f);
}

std::vector<FeatureFrame> CopyFrames(const Dataset& dataset, const Segment& window) {
  const std::vector<FeatureFrame>& from = dataset.recordings[window.recording].frames;
  const int64_t hop = dataset.hop(), first = window.begin / hop;
  std::vector<FeatureFrame> frames((window.end - window.begin) / hop + 1);
  for (size_t t = 0; t < frames.size(); ++t) {
    const size_t at = first + t;
    frames[t] = from[std::min(at, from.size() - 1)];
    if (at >= from.size()) {
      frames[t].voiced = false;
      frames[t].loudness_db = frames[t].power_db = -80;
    }
  }
  return frames;
}

}  // namespace ddsp::training
