#include "core/dsp/note_heuristics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "core/dsp/argument.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

struct Moments {
  double mean, std;
};

Moments MomentsOf(absl::Span<const double> x) {
  const double n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / n)};
}

double Median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const size_t middle = x.size() / 2;
  return x.size() % 2 == 1 ? x[middle] : 0.5 * (x[middle - 1] + x[middle]);
}

SegmentedNote NoteOf(absl::Span<const double> f0_hz, size_t start, size_t end, NotePitch pitch, double frame_rate) {
  const absl::Span<const double> frames = f0_hz.subspan(start, end - start);
  const double hz = pitch == NotePitch::kMean ? MomentsOf(frames).mean : Median({frames.begin(), frames.end()});
  return {static_cast<double>(start) / frame_rate, static_cast<double>(end) / frame_rate,
          static_cast<int64_t>(std::nearbyint(HzToMidi(hz)))};
}

}  // namespace

FramePosition ParseFramePosition(std::string_view name) {
  if (name == "front") return FramePosition::kFront;
  if (name == "center") return FramePosition::kCenter;
  if (name == "end") return FramePosition::kEnd;
  DDSP_CHECK_ARGUMENT(false, "mode is '", std::string(name), "', expected front, center or end");
}

std::vector<double> PadForFrame(absl::Span<const double> values, FramePosition position, int64_t frame_width,
                                EndValues ends) {
  DDSP_CHECK_ARGUMENT(!values.empty() && frame_width > 0, "there are ", values.size(), " values and frame_width is ",
                      frame_width, ", expected at least one of each");
  const int64_t before = position == FramePosition::kFront    ? frame_width - 1
                         : position == FramePosition::kCenter ? frame_width / 2
                                                              : 0;
  const auto end_value = [&](double x) { return ends == EndValues::kTruncated ? std::trunc(x) : x; };
  std::vector<double> padded(static_cast<size_t>(before), end_value(values.front()));
  padded.insert(padded.end(), values.begin(), values.end());
  padded.insert(padded.end(), static_cast<size_t>(frame_width - 1 - before), end_value(values.back()));
  return padded;
}

std::vector<bool> AmpPooledOutliers(absl::Span<const double> amplitudes, int64_t frame_width, double num_devs,
                                    EndValues ends) {
  std::vector<double> logs(amplitudes.size());
  std::transform(amplitudes.begin(), amplitudes.end(), logs.begin(), [](double a) { return std::log(a); });
  const std::vector<double> padded = PadForFrame(logs, FramePosition::kCenter, frame_width, ends);
  std::vector<bool> above(logs.size());
  for (size_t i = 0; i < logs.size(); ++i) {
    const Moments around = MomentsOf(absl::MakeConstSpan(padded).subspan(i, static_cast<size_t>(frame_width)));
    above[i] = around.mean - num_devs * around.std < logs[i];
  }
  return above;
}

std::vector<bool> StridedFreqChange(absl::Span<const double> f0_hz, EndValues ends) {
  std::vector<double> midi(f0_hz.size());
  std::transform(f0_hz.begin(), f0_hz.end(), midi.begin(), [](double hz) { return HzToMidi(hz); });
  std::vector<bool> steady(f0_hz.size(), true);
  for (const int64_t width : {2, 4, 8, 16, 32}) {
    const auto span = static_cast<size_t>(width);
    const std::vector<double> padded = PadForFrame(midi, FramePosition::kFront, width, ends);
    // Only where no change was found in the frames before: one boundary for each move.
    const std::vector<double> before =
        PadForFrame(std::vector<double>(steady.begin(), steady.end()), FramePosition::kFront, width);
    for (size_t i = 0; i < midi.size(); ++i) {
      const bool quiet =
          std::all_of(before.begin() + static_cast<std::ptrdiff_t>(i),
                      before.begin() + static_cast<std::ptrdiff_t>(i + span), [](double x) { return x != 0; });
      if (quiet && std::abs(padded[i] - padded[i + span - 1]) > 0.75) steady[i] = false;
    }
  }
  for (size_t i = 0; i < steady.size(); ++i) steady[i] = steady[i] && f0_hz[i] > 0;
  return steady;
}

std::vector<bool> RemoveShort(std::vector<bool> is_on, int64_t min_samples, ShortNotes short_notes) {
  const std::vector<bool> given = is_on;
  int64_t run = 0;
  size_t previous_end = 0;
  for (size_t i = 0; i < given.size(); ++i) {
    // Upstream walks over the vector that it changes; what it changes lies behind it.
    if (given[i]) {
      ++run;
      continue;
    }
    if (run < min_samples) {
      const size_t from = short_notes == ShortNotes::kGlueBack ? previous_end : i - static_cast<size_t>(run);
      std::fill(is_on.begin() + static_cast<std::ptrdiff_t>(from), is_on.begin() + static_cast<std::ptrdiff_t>(i),
                short_notes == ShortNotes::kGlueBack);
    }
    run = 0;
    previous_end = i;
  }
  return is_on;
}

std::vector<bool> MidiHeuristic(absl::Span<const double> f0_hz, absl::Span<const double> amplitudes, EndValues ends) {
  std::vector<bool> on = StridedFreqChange(f0_hz, ends);
  const std::vector<bool> loud = AmpPooledOutliers(amplitudes, 80, 2, ends);
  for (size_t i = 0; i < on.size(); ++i) on[i] = on[i] && loud[i];
  return RemoveShort(std::move(on), 10);
}

std::vector<SegmentedNote> SegmentNotes(const std::vector<bool>& is_on, absl::Span<const double> f0_hz, NotePitch pitch,
                                        double frame_rate) {
  std::vector<SegmentedNote> notes;
  size_t start = 0;
  for (size_t i = 0; i <= is_on.size(); ++i) {
    if (i < is_on.size() && is_on[i]) continue;
    if (i > start) notes.push_back(NoteOf(f0_hz, start, i, pitch, frame_rate));
    start = i + 1;
  }
  return notes;
}

}  // namespace ddsp
