// Where the controls of requests lie in the buffer that a step sends to the device.
#pragma once

#include "core/cuda/step_input.h"
#include "core/streaming/stream_table.h"

namespace ddsp::cuda {

// Rows that a request needs in each frame of controls: one for the frame, one for each change on the way to it.
int RowsOf(const HopRequest& request, const StreamTable& streams);

// Fills a request's place in the frames of controls of the step, rows from `first_row` on, features as the voice hears
// them. To be called for all requests but those whose streams only warm up.
void FillRows(const HopRequest& request, const StreamTable& streams, int first_row, int index, const StepInput& input);

}  // namespace ddsp::cuda
