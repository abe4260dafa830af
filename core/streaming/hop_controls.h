// The frames of controls that a hop needs, of a group of streams: decoded together, frame after frame.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "core/models/voice.h"
#include "core/streaming/decoder_step.h"
#include "core/streaming/frame_layout.h"
#include "core/streaming/stream_stage.h"

namespace ddsp {

// The buffers of a step, kept from one to the next. Allocates only where parameters change more often than ever before.
class HopControls {
 public:
  static constexpr int kMaxStreams = DecoderStep::kBlockRows;

  // All outlive the object.
  HopControls(const Voice& voice, const DecoderStep& decoder, const FrameLayout& layout);

  // The last one lies at the end of the hop.
  int frames_per_hop() const { return frames_per_hop_; }

  // Forgets all and makes room for `streams` <= kMaxStreams.
  void Begin(int streams);

  // Where a stream's decoder stands, [state_size()], brought to the end of the hop by Decode(). A stream that starts
  // has no frame of this hop but the last one, its frame 0.
  void SetStream(int stream, float* state, bool starts);

  // What is known of a frame before it is decoded.
  struct Heard {
    float* features;  // [inputs] of the decoder
    float* f0_hz;
  };
  // Of frame `frame`, counted from 0 at the hop's first, with the parameters that it ends with.
  Heard Frame(int stream, int frame);
  // The same frame with parameters of before, which reign up to sample `end` after the frame before it. In the order of
  // stream, frame and end. Valid until the next.
  Heard AddSection(int stream, int frame, int end);

  void Decode();

  // What stages are given of a stream, frame 0 of the hop being its `first_index`th. Valid until the next call.
  absl::Span<const ControlStep> Frames(int stream, int64_t first_index);

 private:
  struct Section {
    int stream, frame, end;
  };
  // Frames of controls in rows: what each is decoded from, then what it says.
  struct Rows {
    std::vector<float> features, frames;  // [rows, inputs], [rows, layout]
  };

  int RowOf(int stream, int frame) const { return frame * streams_ + stream; }
  Heard At(Rows& rows, size_t row) const;
  const float* FrameAt(const Rows& rows, size_t row) const { return &rows.frames[row * layout_.size()]; }
  void DecodeSections(int frame);

  const DecoderStep& decoder_;
  const FrameLayout& layout_;
  const int frames_per_hop_, decoder_hop_;

  int streams_ = 0;
  std::vector<float*> states_;     // [streams]
  std::vector<int> first_frame_;   // [streams], the first one that exists
  std::vector<float> moving_;      // [streams, state_size()]
  Rows kept_;                      // frame after frame, the streams of each in turn
  std::vector<Section> sections_;  // what parameters of before make of frames
  Rows of_sections_;               // [sections_]
  DecoderStep::Workspace workspace_, section_workspace_;
  std::vector<float> section_features_, section_states_, section_outputs_;  // of a few

  std::vector<FrameSection> frame_sections_;
  std::vector<ControlStep> control_steps_;
};

}  // namespace ddsp
