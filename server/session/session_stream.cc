#include "server/session/session_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "server/errors/errors.h"

namespace ddsp::server {

absl::StatusOr<std::unique_ptr<SessionStream>> SessionStream::Create(const SessionPlan& plan,
                                                                     const StreamFormat& voice) {
  StreamFramer::Options options{.format = voice,
                                .input = plan.input,
                                .input_rate = plan.input_format.sample_rate,
                                .output_rate = plan.output_format.sample_rate,
                                .tail = plan.tail,
                                .parameters = plan.parameters};
  absl::StatusOr<std::unique_ptr<StreamFramer>> framer = StreamFramer::Create(options);
  if (!framer.ok()) return MakeError(Reason::kInvalidConfig, std::string(framer.status().message()));
  return std::unique_ptr<SessionStream>(new SessionStream(plan, voice, *std::move(framer)));
}

SessionStream::SessionStream(const SessionPlan& plan, const StreamFormat& voice, std::unique_ptr<StreamFramer> framer)
    : plan_(plan),
      voice_(voice),
      framer_(std::move(framer)),
      encoder_(MakeEncoder(plan.output_format, plan.opus_bitrate)),
      decoder_memory_(plan.settings.resumable ? MakeDecoder(plan.input_format)->memory() : 0),
      encoder_memory_(plan.settings.resumable ? encoder_->memory() : 0),
      block_(plan.output_block > 0 ? plan.output_block : DefaultBlock(plan.output_format, voice)),
      scratch_(block_) {}

void SessionStream::Absorb() {
  while (!pending_.empty()) {
    if (std::holds_alternative<FlushIn>(pending_.front().event) && framer_->HopReady()) return;
    std::visit([this](const auto& event) { Take(event); }, pending_.front().event);
    arrivals_.Came(framer_->input_samples(), pending_.front().at);
    pending_.pop_front();
  }
}

void SessionStream::Take(const AudioIn& audio) {
  ++input_blocks_;
  skipped_ += audio.skipped;
  framer_->PushAudio(audio.samples);
  mark_ = audio.mark;
  if (decoder_memory_ > 0) Keep(audio);
}

void SessionStream::Keep(const AudioIn& audio) {
  packets_.push_back({audio.packet, static_cast<int64_t>(audio.samples.size()) + audio.skipped});
  int64_t kept = 0;
  for (const Packet& packet : packets_) kept += packet.samples;
  while (kept - packets_.front().samples >= decoder_memory_) {
    kept -= packets_.front().samples;
    packets_.pop_front();
  }
}

void SessionStream::Take(const ControlIn& control) {
  if (control.change.has_value()) {
    const absl::Status status = framer_->ChangeParameters(control.change->sample, control.change->parameters);
    DDSP_CHECK(status.ok(), "the order of changes was checked at the gate");
  }
  if (control.frames.has_value()) {
    ++input_blocks_;
    for (const ControlFrame& frame : control.frames->frames) {
      framer_->PushControl(frame, control.frames->frame_samples);
    }
  }
  mark_ = control.mark;
}

void SessionStream::Take(const FlushIn& flush) {
  EmitAudio(encoder_->whole_blocks() ? LastBlock::kWait : LastBlock::kPart, &marks_);
  EmitFeatures(&marks_);
  OutputItem mark;
  v1::SessionEvent* event = mark.message.mutable_event();
  event->set_kind(v1::SessionEvent::FLUSHED);
  event->set_sample(framer_->input_samples());
  event->set_flush_id(flush.id);
  marks_.push_back(std::move(mark));
}

void SessionStream::Take(const EndIn&) {
  framer_->Finish();
  finished_ = true;
}

// What it makes due is due to later input than it took.
void SessionStream::CompleteHop() {
  hop_arrival_ = HopArrival();
  arrivals_.Forget(framer_->input_of_hop());
  framer_->CompleteHop();
}

void SessionStream::Emit(std::vector<OutputItem>* out) {
  if (ended_) return;
  std::move(marks_.begin(), marks_.end(), std::back_inserter(*out));
  marks_.clear();
  const bool last = finished_ && !framer_->HopReady();
  EmitAudio(last ? LastBlock::kPart : LastBlock::kWait, out);
  EmitFeatures(out);
  if (!last) return;
  EmitRestOfCodec(out);
  EmitSummary(out);
  ended_ = true;
}

void SessionStream::EmitAudio(LastBlock last, std::vector<OutputItem>* out) {
  while (framer_->due() >= block_ || (last == LastBlock::kPart && framer_->due() > 0)) {
    const int64_t count = framer_->Pop(absl::MakeSpan(scratch_));
    if (!plan_.audio_out) continue;
    const absl::Span<float> samples = absl::MakeSpan(scratch_);
    std::fill(samples.begin() + count, samples.end(), 0.0f);
    EmitBlock(encoder_->whole_blocks() ? samples : samples.first(count), count, out);
  }
}

void SessionStream::EmitBlock(absl::Span<const float> samples, int64_t real_samples, std::vector<OutputItem>* out) {
  OutputItem item;
  v1::AudioBlock* block = item.message.mutable_audio();
  block->set_seq(output_blocks_++);
  block->set_start_sample(coded_samples_);
  block->set_data(encoder_->Encode(samples));
  item.samples = static_cast<int64_t>(samples.size());
  item.due = arrivals_.Of(framer_->input_of_popped());
  coded_samples_ += item.samples;
  output_samples_ += real_samples;
  if (encoder_memory_ > 0) {
    heard_.insert(heard_.end(), samples.begin(), samples.end());
    const int64_t whole_blocks = (encoder_memory_ + block_ - 1) / block_ * block_;
    const int64_t over = static_cast<int64_t>(heard_.size()) - whole_blocks;
    if (over > 0) heard_.erase(heard_.begin(), heard_.begin() + over);
  }
  out->push_back(std::move(item));
}

// What the codec still holds back comes out with silence behind it.
void SessionStream::EmitRestOfCodec(std::vector<OutputItem>* out) {
  if (output_samples_ == 0) return;
  std::fill(scratch_.begin(), scratch_.end(), 0.0f);
  while (coded_samples_ < output_samples_ + encoder_->delay()) EmitBlock(scratch_, 0, out);
}

void SessionStream::EmitFeatures(std::vector<OutputItem>* out) {
  const std::vector<FeatureFrame> frames = framer_->TakeFeatures();
  if (!plan_.features_out || frames.empty()) return;
  OutputItem item;
  item.due = hop_arrival_;
  v1::FeatureBlock* block = item.message.mutable_features();
  block->set_seq(feature_blocks_++);
  block->set_first_frame(feature_frames_);
  block->set_frame_rate_hz(static_cast<double>(voice_.sample_rate) / voice_.hop_size);
  for (const FeatureFrame& frame : frames) {
    block->add_f0_hz(frame.f0_hz);
    block->add_f0_confidence(frame.f0_confidence);
    block->add_voiced(frame.voiced);
    block->add_loudness_db(frame.loudness_db);
    block->add_power_db(frame.power_db);
  }
  feature_frames_ += static_cast<int64_t>(frames.size());
  out->push_back(std::move(item));
}

void SessionStream::EmitSummary(std::vector<OutputItem>* out) {
  OutputItem item;
  v1::SessionSummary* summary = item.message.mutable_summary();
  summary->set_input_samples(framer_->input_samples());
  summary->set_output_samples(output_samples_);
  summary->set_input_blocks(input_blocks_);
  summary->set_output_blocks(output_blocks_);
  summary->set_feature_frames(feature_frames_);
  out->push_back(std::move(item));
}

}  // namespace ddsp::server
