// heuristics.*: notes from contours.
#include "core/dsp/arrays.h"
#include "core/dsp/framing.h"
#include "core/dsp/note_heuristics.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

std::vector<double> Doubles(const Tensor& x) {
  const Tensor flat = x.to(at::kDouble).contiguous().flatten();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

std::vector<bool> Flags(const Tensor& x) {
  const std::vector<double> values = Doubles(x);
  std::vector<bool> flags(values.size());
  for (size_t i = 0; i < values.size(); ++i) flags[i] = values[i] != 0;
  return flags;
}

NamedTensors OutFlags(const std::vector<bool>& flags) {
  return Out(at::tensor(std::vector<int64_t>(flags.begin(), flags.end()), at::kLong));
}

NamedTensors PadForFrameCase(Call& call) {
  const FramePosition position = ParseFramePosition(call.Text("mode", ""));
  return Out(at::tensor(PadForFrame(Doubles(call.In("vec")), position, call.Int("frame_width"), EndValues::kTruncated),
                        at::kDouble));
}

NamedTensors RemoveShortCase(Call& call) {
  const ShortNotes short_notes = call.Flag("glue_back", false) ? ShortNotes::kGlueBack : ShortNotes::kRemove;
  return OutFlags(RemoveShort(Flags(call.In("is_on_vec")), call.Int("min_samples", 20), short_notes));
}

NamedTensors AmpPooledCase(Call& call) {
  call.In("f0_hz");  // part of the controls, not used
  return OutFlags(AmpPooledOutliers(Doubles(call.In("amplitudes")), call.Int("frame_width", 80),
                                    call.Number("num_devs", 2), EndValues::kTruncated));
}

NamedTensors SegmentCase(Call& call) {
  call.In("amplitudes");  // part of the controls, not used
  const NotePitch pitch = call.Text("pick_f0_fn", "") == "heuristics.median_f0" ? NotePitch::kMedian : NotePitch::kMean;
  std::vector<Tensor> rows;
  for (const SegmentedNote& note :
       SegmentNotes(Flags(call.In("binary")), Doubles(call.In("f0_hz")), pitch, call.Number("frame_rate", 250))) {
    rows.push_back(at::tensor({note.start, note.end, static_cast<double>(note.pitch)}, at::kDouble));
  }
  return {{"notes", rows.empty() ? at::zeros({0, 3}) : at::stack(rows)}};
}

// Frames of win_len seconds with zeros in front. Upstream: window_array.
NamedTensors WindowArrayCase(Call& call) {
  const double size = call.Number("sr", 0) * call.Number("win_len", 0), ratio = call.Number("frame_step_ratio", 0.75);
  const Tensor padded = PadAxis(call.In("array"), static_cast<int64_t>(size * (1 - ratio)), 0, 0);
  return Out(Frames(padded, static_cast<int64_t>(size), static_cast<int64_t>(size * ratio), FramePadding::kSame));
}

}  // namespace

const AdapterEntry kHeuristicAdapters[] = {
    {"heuristics.pad_for_frame", PadForFrameCase},
    {"heuristics.remove_short", RemoveShortCase},
    {"heuristics.strided_freq_change",
     [](Call& c) { return OutFlags(StridedFreqChange(Doubles(c.In("f0_hz")), EndValues::kTruncated)); }},
    {"heuristics.amp_pooled_outliers", AmpPooledCase},
    {"heuristics.midi_heuristic",
     [](Call& c) {
       return OutFlags(MidiHeuristic(Doubles(c.In("f0_hz")), Doubles(c.In("amplitudes")), EndValues::kTruncated));
     }},
    {"heuristics.segment_notes", SegmentCase},
    {"heuristics.window_array", WindowArrayCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
