// What a step gets from the host: one buffer, one transfer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ddsp::cuda {

struct StepCounts {
  int32_t rows = 0;
  int32_t requests = 0;
};

// A slot to step. Its rows are the sections of its hop; the last one's frame is frame `frame_index` of the stream.
struct RequestInput {
  int64_t frame_index = 0;  // t: this step knows frame t and gives hop t - 1; never negative
  uint64_t seed = 0;
  int32_t slot = 0;
  int32_t first_row = 0, end_row = 0;
  int32_t unused = 0;
};

// A frame to decode: for each request one with the parameters that it ends with, and one more for each earlier section.
struct RowInput {
  int32_t slot = 0;
  int32_t section_end = 0;  // sample of the hop
  int32_t keeps_state = 0;  // 1 for a request's last row: the decoder's state after it is the slot's new one
  float f0_hz = 0;
};

// Views of the buffer of a step of at most `rows` rows.
struct StepInput {
  StepCounts* counts = nullptr;
  RequestInput* requests = nullptr;  // [rows]
  RowInput* rows = nullptr;          // [rows]
  float* features = nullptr;         // [rows, inputs of the decoder]

  static size_t Bytes(int rows, int inputs) {
    return kCountsBytes + rows * (sizeof(RequestInput) + sizeof(RowInput) + inputs * sizeof(float));
  }
  static StepInput View(std::byte* buffer, int rows) {
    StepInput input;
    input.counts = reinterpret_cast<StepCounts*>(buffer);
    input.requests = reinterpret_cast<RequestInput*>(buffer + kCountsBytes);
    input.rows = reinterpret_cast<RowInput*>(input.requests + rows);
    input.features = reinterpret_cast<float*>(input.rows + rows);
    return input;
  }

 private:
  static constexpr size_t kCountsBytes = 32;  // keeps what follows aligned
};

}  // namespace ddsp::cuda
