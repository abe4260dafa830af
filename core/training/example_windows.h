// Which stretches of the recordings are training examples, which are held out, and in what order they come.
#pragma once

#include <cstdint>
#include <vector>

#include "core/training/dataset.h"

namespace ddsp::training {

// Samples [begin, end) of a recording.
struct Segment {
  int recording = 0;
  int64_t begin = 0, end = 0;
  friend bool operator==(const Segment&, const Segment&) = default;
};

struct DataSplit {
  std::vector<Segment> training, held_out;
};

struct SplitOptions {
  double held_out_fraction = 0.1;
  int64_t gap_samples = 64000;  // between training and held-out samples of one recording: a window
  int64_t min_recordings = 5;   // with fewer, every recording is split by time
};

// Holds out whole recordings, chosen by a hash of their names so that adding one does not move the others, until about
// held_out_fraction of the material is reached; or, with few recordings, the end of each. No held-out sample is closer
// than the gap to a training sample of its recording.
DataSplit SplitDataset(const Dataset& dataset, const SplitOptions& options);

// Everything, for a data set that has its held-out material elsewhere.
std::vector<Segment> WholeRecordings(const Dataset& dataset);

struct WindowOptions {
  int64_t window_samples = 64000;
  int64_t hop_samples = 16000;
  int64_t chunk_samples = 0;  // see ExampleSettings::chunk_secs; 0: the whole segment is one
  // A window is left out when fewer than this share of its frames are voiced or louder than silence_db: there is
  // nothing in it to learn but silence, which the other windows' rests teach already.
  double min_sounding = 0.1;
  float silence_db = -60;
};

struct ExampleWindows {
  std::vector<Segment> windows;  // of window_samples each; beyond the end of a short recording there is silence
  int64_t silent = 0;            // left out
};

// The windows that a data set says it is cut into.
WindowOptions WindowsOf(const Dataset& dataset);

// How it is parted: its held-out share, with a gap of one of its windows.
SplitOptions SplitOf(const Dataset& dataset);

// Upstream's arithmetic: windows at 0, hop, 2 hop, ... of a segment as long as they fit; a segment at the end of its
// recording that is shorter than a window gives one. With chunks: windows at 0, hop, ... of each chunk as long as they
// fit into it, silence where the last chunk reaches beyond its recording. Segments begin on a frame.
ExampleWindows ListWindows(const Dataset& dataset, const std::vector<Segment>& segments, const WindowOptions& options);

// The first `seconds` of `from`, counted from its first voiced frame on; beyond the end of the recording there is
// silence.
Segment FirstSound(const Dataset& dataset, Segment from, double seconds);

// The example at `position` of an endless sequence of epochs, each a fresh permutation: a pure function, so that a
// checkpoint's position is one number.
class ShuffledOrder {
 public:
  ShuffledOrder(uint64_t seed, int64_t examples);  // examples > 0
  int64_t At(int64_t position);

 private:
  const uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<int64_t> permutation_;
};

// A window's samples, silence beyond the end of the recording.
void CopyAudio(const Dataset& dataset, const Segment& window, float* audio);
// Its window_samples / hop + 1 frames; the last is held beyond the end of the recording, at the floor of loudness and
// power.
std::vector<FeatureFrame> CopyFrames(const Dataset& dataset, const Segment& window);

}  // namespace ddsp::training
