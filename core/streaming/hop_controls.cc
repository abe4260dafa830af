#include "core/streaming/hop_controls.h"

#include <algorithm>

#include "core/base/check.h"

namespace ddsp {
namespace {

// Parameters change seldom: what they reigned over before is decoded a few rows at a time.
constexpr int kSectionRows = 8;

}  // namespace

HopControls::HopControls(const Voice& voice, const DecoderStep& decoder, const FrameLayout& layout)
    : decoder_(decoder),
      layout_(layout),
      frames_per_hop_(voice.decoder_frames_per_hop()),
      decoder_hop_(voice.decoder_hop()),
      states_(kMaxStreams),
      first_frame_(kMaxStreams),
      moving_(kMaxStreams * decoder.state_size()),
      workspace_(decoder.MakeWorkspace(kMaxStreams * frames_per_hop_)),
      section_workspace_(decoder.MakeWorkspace(kSectionRows)),
      section_features_(kSectionRows * decoder.inputs()),
      section_states_(kSectionRows * decoder.state_size()),
      section_outputs_(kSectionRows * decoder.outputs()) {
  kept_.features.resize(kMaxStreams * frames_per_hop_ * decoder.inputs());
  kept_.frames.resize(kMaxStreams * frames_per_hop_ * layout.size());
  frame_sections_.reserve(frames_per_hop_);
  control_steps_.reserve(frames_per_hop_);
}

void HopControls::Begin(int streams) {
  DDSP_CHECK(streams <= kMaxStreams, "a group has no more streams than there is room for");
  streams_ = streams;
  sections_.clear();
  of_sections_.features.clear();
  of_sections_.frames.clear();
}

void HopControls::SetStream(int stream, float* state, bool starts) {
  states_[stream] = state;
  first_frame_[stream] = starts ? frames_per_hop_ - 1 : 0;
}

HopControls::Heard HopControls::At(Rows& rows, size_t row) const {
  return {&rows.features[row * decoder_.inputs()], &rows.frames[row * layout_.size() + layout_.f0_offset()]};
}

HopControls::Heard HopControls::Frame(int stream, int frame) { return At(kept_, RowOf(stream, frame)); }

HopControls::Heard HopControls::AddSection(int stream, int frame, int end) {
  sections_.push_back({stream, frame, end});
  of_sections_.features.resize(sections_.size() * decoder_.inputs());
  of_sections_.frames.resize(sections_.size() * layout_.size());
  return At(of_sections_, sections_.size() - 1);
}

void HopControls::Decode() {
  const int units = decoder_.state_size();
  decoder_.Listen(kept_.features.data(), streams_ * frames_per_hop_, workspace_);
  for (int i = 0; i < streams_; ++i) std::copy_n(states_[i], units, &moving_[i * units]);
  for (int frame = 0; frame < frames_per_hop_; ++frame) {
    DecodeSections(frame);
    decoder_.Advance(RowOf(0, frame), streams_, moving_.data(), workspace_);
    for (int i = 0; i < streams_; ++i) {
      // A frame that does not exist leaves no trace.
      if (frame < first_frame_[i]) std::copy_n(states_[i], units, &moving_[i * units]);
    }
  }
  decoder_.Speak(streams_ * frames_per_hop_, kept_.frames.data(), layout_.size(), workspace_);
  for (int i = 0; i < streams_; ++i) std::copy_n(&moving_[i * units], units, states_[i]);
}

// From the state before `frame`, which they leave as it is.
void HopControls::DecodeSections(int frame) {
  const int units = decoder_.state_size(), inputs = decoder_.inputs(), outputs = decoder_.outputs();
  int rows[kSectionRows];
  size_t next = 0;
  while (true) {
    int count = 0;
    for (; next < sections_.size() && count < kSectionRows; ++next) {
      if (sections_[next].frame == frame) rows[count++] = static_cast<int>(next);
    }
    if (count == 0) return;
    for (int i = 0; i < count; ++i) {
      std::copy_n(&of_sections_.features[rows[i] * inputs], inputs, &section_features_[i * inputs]);
      std::copy_n(&moving_[sections_[rows[i]].stream * units], units, &section_states_[i * units]);
    }
    decoder_.Listen(section_features_.data(), count, section_workspace_);
    decoder_.Advance(0, count, section_states_.data(), section_workspace_);
    decoder_.Speak(count, section_outputs_.data(), outputs, section_workspace_);
    for (int i = 0; i < count; ++i) {
      std::copy_n(&section_outputs_[i * outputs], outputs, &of_sections_.frames[rows[i] * layout_.size()]);
    }
  }
}

absl::Span<const ControlStep> HopControls::Frames(int stream, int64_t first_index) {
  frame_sections_.clear();
  frame_sections_.reserve(sections_.size() + frames_per_hop_);  // so that none moves
  control_steps_.clear();
  size_t next = 0;
  while (next < sections_.size() && sections_[next].stream < stream) ++next;
  for (int frame = first_frame_[stream]; frame < frames_per_hop_; ++frame) {
    const size_t begin = frame_sections_.size();
    for (; next < sections_.size() && sections_[next].stream == stream && sections_[next].frame == frame; ++next) {
      frame_sections_.push_back({sections_[next].end, FrameAt(of_sections_, next)});
    }
    frame_sections_.push_back({decoder_hop_, FrameAt(kept_, RowOf(stream, frame))});
    control_steps_.push_back({first_index + frame, absl::MakeConstSpan(frame_sections_).subspan(begin)});
  }
  return control_steps_;
}

}  // namespace ddsp
