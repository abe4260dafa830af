#include "core/cuda/stream_rows.h"

#include <algorithm>

namespace ddsp::cuda {

int RowsOf(const HopRequest& request, const StreamTable& streams) {
  int most = 0, rows = 0;
  streams.ForEachSection(request, [&](const StreamTable::Section& section) {
    most = std::max(most, ++rows);
    if (section.last) rows = 0;
  });
  return most;
}

void FillRows(const HopRequest& request, const StreamTable& streams, int first_row, int index, const StepInput& input) {
  const int frames = streams.frames_per_hop(), rows = RowsOf(request, streams);
  const int64_t first_frame = streams.HopIndex(request.slot) * frames + 1;  // of the hop
  for (int frame = 0; frame < frames; ++frame) {
    input.frame(frame).requests[index] = {.frame_index = first_frame + frame,
                                          .seed = streams.seed(request.slot),
                                          .slot = request.slot,
                                          .first_row = first_row,
                                          .end_row = first_row};
    std::fill_n(input.frame(frame).rows + first_row, rows, RowInput());
  }
  streams.ForEachSection(request, [&](const StreamTable::Section& section) {
    if (first_frame + section.frame < 0) return;
    const FrameInput place = input.frame(section.frame);
    const int row = place.requests[index].end_row++;
    place.rows[row] = {.slot = request.slot, .section_end = section.end, .keeps_state = section.last};
    place.rows[row].f0_hz = streams.Hear(request.slot, section, place.features + row * input.inputs);
  });
}

}  // namespace ddsp::cuda
