// What a step gets from the host: one buffer, one transfer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ddsp::cuda {

struct StepCounts {
  int32_t rows = 0;
  int32_t requests = 0;
};

// A slot to step, seen from one of the frames of controls in its hop.
struct RequestInput {
  int64_t frame_index = 0;  // t: this frame is frame t of the stream, the samples before it lead there; none if t < 0
  uint64_t seed = 0;
  int32_t slot = 0;
  // Its rows are the sections of the way to the frame; the last one is the frame.
  int32_t first_row = 0, end_row = 0;
  int32_t unused = 0;
};

// A frame to decode: for each request one with the parameters that it ends with, and one more for each earlier section.
struct RowInput {
  int32_t slot = -1;        // -1: no row
  int32_t section_end = 0;  // sample after the frame before
  int32_t keeps_state = 0;  // 1 for a request's last row: the decoder's state after it is the slot's new one
  float f0_hz = 0;
};

// One frame of controls of all requests.
struct FrameInput {
  StepCounts* counts = nullptr;
  RequestInput* requests = nullptr;  // [rows]
  RowInput* rows = nullptr;          // [rows]
  float* features = nullptr;         // [rows, inputs of the decoder]
};

// A buffer for a step of at most `rows` rows, a multiple of 8: the frames of its hop, one after the other.
struct StepInput {
  std::byte* buffer = nullptr;
  int rows = 0;
  int inputs = 0;  // of the decoder

  static size_t FrameBytes(int rows, int inputs) {
    return kCountsBytes + rows * (sizeof(RequestInput) + sizeof(RowInput) + inputs * sizeof(float));
  }

  FrameInput frame(int index) const {
    std::byte* const begin = buffer + index * FrameBytes(rows, inputs);
    FrameInput frame;
    frame.counts = reinterpret_cast<StepCounts*>(begin);
    frame.requests = reinterpret_cast<RequestInput*>(begin + kCountsBytes);
    frame.rows = reinterpret_cast<RowInput*>(frame.requests + rows);
    frame.features = reinterpret_cast<float*>(frame.rows + rows);
    return frame;
  }

 private:
  static constexpr size_t kCountsBytes = 32;  // keeps what follows aligned
};

}  // namespace ddsp::cuda
