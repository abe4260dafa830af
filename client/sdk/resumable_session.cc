#include "client/sdk/resumable_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/session_messages.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

constexpr int64_t kEverything = int64_t{1} << 40;  // samples

int64_t BytesOfSample(Codec codec) { return codec == Codec::kPcm16 ? sizeof(int16_t) : sizeof(float); }

std::shared_ptr<const v1::StreamSessionRequest> GrantOf(int64_t samples) {
  auto request = std::make_shared<v1::StreamSessionRequest>();
  request->mutable_credit()->set_samples(samples);
  return request;
}

}  // namespace

ResumableSession::ResumableSession(StreamOptions options, const ResumeOptions& resume)
    : options_(std::move(options)),
      snapshot_interval_(resume.snapshot_interval),
      max_unsent_(resume.max_unsent),
      replay_(resume.max_replay_bytes) {}

v1::StreamSessionRequest ResumableSession::Begin() {
  output_.reset();
  feature_seq_ = 0;
  credit_ = 0;
  unnumbered_.clear();
  snapshots_.clear();
  left_ = all_granted_ = false;
  withheld_ = unread_samples_;
  replayed_input_ = 0;
  repeated_before_ = cursor_.repeated();
  from_snapshot_ = !snapshot_.empty();

  v1::StreamSessionRequest request;
  v1::SessionConfig& config = *request.mutable_config();
  config = ToConfig(options_);
  // From its start a session is played again by the very version that played it; a snapshot knows its own.
  if (known_ && !from_snapshot_) config.set_model(info_.model);
  if (options_.input.codec == Codec::kOpus) {
    const auto encoder = MakeEncoder(Codec::kOpus, options_.input.sample_rate, options_.opus_bitrate);
    if (encoder.ok()) config.set_input_codec_delay_samples((*encoder)->delay());
  }
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(snapshot_interval_);
  config.mutable_snapshot_interval()->set_seconds(nanoseconds / 1'000'000'000);
  config.mutable_snapshot_interval()->set_nanos(static_cast<int32_t>(nanoseconds % 1'000'000'000));
  config.set_resume(snapshot_);
  return request;
}

absl::Status ResumableSession::Take(const v1::StreamSessionResponse& response, std::vector<StreamMessage>* fresh) {
  if (!started() && !response.has_started()) return absl::InternalError("the server's first message is not `started`");
  switch (response.response_case()) {
    case v1::StreamSessionResponse::kStarted:
      return TakeStarted(response.started());
    case v1::StreamSessionResponse::kAudio:
      RETURN_IF_ERROR(TakeAudio(response.audio(), fresh));
      break;
    case v1::StreamSessionResponse::kFeatures:
      RETURN_IF_ERROR(TakeFeatures(response.features(), fresh));
      break;
    case v1::StreamSessionResponse::kEvent:
      TakeEvent(response.event(), fresh);
      break;
    case v1::StreamSessionResponse::kSummary:
      if (!summarized_) fresh->push_back(FromMessage(response.summary()));
      summarized_ = true;
      break;
    case v1::StreamSessionResponse::kCredit:
      credit_ += static_cast<int64_t>(response.credit().samples());
      break;
    case v1::StreamSessionResponse::kSnapshot:
      snapshots_.push_back(response.snapshot());
      break;
    default:
      // Pongs, and what later servers may say.
      break;
  }
  AdoptSnapshots();
  return absl::OkStatus();
}

absl::Status ResumableSession::TakeStarted(const v1::SessionStarted& started) {
  if (output_ != nullptr) return absl::InternalError("the server started the session twice");
  StreamStarted info = FromMessage(started);
  if (known_ && info.model != info_.model) {
    return absl::FailedPreconditionError(
        absl::StrCat("the session is one of ", info_.model, ", and the server has ", info.model));
  }
  const v1::SessionPosition& at = started.resumed_at();  // all zero where the session begins
  ASSIGN_OR_RETURN(replayed_input_, replay_.Rewind(at));
  ASSIGN_OR_RETURN(auto decoder, MakeDecoder(AudioCodec(options_), info.output.sample_rate));
  if (!known_) {
    ASSIGN_OR_RETURN(auto encoder,
                     MakeEncoder(options_.input.codec, options_.input.sample_rate, options_.opus_bitrate));
    // A block must fit into what is granted at once, since it is not cut again for another server.
    constexpr int64_t kDefaultBlockBytes = 64 << 10;
    const int64_t limit = started.max_block_bytes() > 0 ? started.max_block_bytes() : kDefaultBlockBytes;
    const int64_t half_credit = std::max<int64_t>(1, info.input_credit / 2) * static_cast<int64_t>(sizeof(float));
    const int64_t block_bytes = std::min(limit, half_credit);
    input_ = std::make_unique<InputBlocks>(
        std::move(encoder), InputBlocks::Limits{kEverything, static_cast<int>(block_bytes), info.input_codec_delay});
    info_ = std::move(info);
    known_ = true;
  }
  output_ = std::make_unique<OutputBlocks>(
      std::move(decoder), OutputBlocks::Format{options_.output.codec, started.output_codec_delay_samples()},
      OutputBlocks::Start{at.output_seq(), static_cast<int64_t>(at.output_sample())});
  if (total_output_) output_->SetTotal(*total_output_);
  feature_seq_ = at.feature_seq();
  credit_ = static_cast<int64_t>(started.input_credit());
  return absl::OkStatus();
}

absl::Status ResumableSession::TakeAudio(const v1::AudioBlock& block, std::vector<StreamMessage>* fresh) {
  ASSIGN_OR_RETURN(AudioBlock audio, output_->Take(block));
  const auto came = static_cast<int64_t>(audio.samples.size());
  RETURN_IF_ERROR(cursor_.Take(&audio));
  const auto left = static_cast<int64_t>(audio.samples.size());
  // What is dropped is as good as read.
  if (came > left && options_.max_unread_samples > 0 && !all_granted_) unnumbered_.push_back(GrantOf(came - left));
  if (left == 0) return absl::OkStatus();
  audio.received = std::chrono::steady_clock::now();
  unread_samples_ += left;
  fresh->push_back(std::move(audio));
  return absl::OkStatus();
}

absl::Status ResumableSession::TakeFeatures(const v1::FeatureBlock& block, std::vector<StreamMessage>* fresh) {
  feature_seq_ = block.seq() + 1;
  FeatureBlock features = FromMessage(block);
  RETURN_IF_ERROR(cursor_.Take(&features));
  if (!features.frames.empty()) fresh->push_back(std::move(features));
  return absl::OkStatus();
}

void ResumableSession::TakeEvent(const v1::SessionEvent& event, std::vector<StreamMessage>* fresh) {
  // That this server goes is no matter of the user's, and what is flushed is told once.
  if (event.kind() == v1::SessionEvent::DRAINING) return;
  if (event.kind() == v1::SessionEvent::FLUSHED && !replay_.ForgetFlush(event.flush_id())) return;
  fresh->push_back(FromMessage(event));
}

void ResumableSession::AdoptSnapshots() {
  while (!snapshots_.empty()) {
    const v1::SessionPosition& at = snapshots_.front().position();
    // Going on from a place whose output has not come would leave a hole.
    if (static_cast<int64_t>(at.output_sample()) > output_->position() || at.feature_seq() > feature_seq_) return;
    snapshot_ = std::move(*snapshots_.front().mutable_data());
    replay_.Forget(at);
    left_ |= snapshots_.front().last();
    snapshots_.pop_front();
  }
}

ResumableSession::Request ResumableSession::NextToSend() {
  if (!started()) return nullptr;
  if (!unnumbered_.empty()) {
    Request request = std::move(unnumbered_.front());
    unnumbered_.pop_front();
    return request;
  }
  if (const ReplayBuffer::Entry* entry = replay_.Next(); entry != nullptr) {
    if (entry->samples > credit_) return nullptr;
    credit_ -= entry->samples;
    Request request = entry->message;
    replay_.Sent();
    return request;
  }
  if (!finished_ || all_granted_ || options_.max_unread_samples == 0) return nullptr;
  // Nothing can be granted after the half-close, and what is left to come is bounded by what the server buffers.
  all_granted_ = true;
  return GrantOf(kEverything);
}

bool ResumableSession::all_sent() const {
  const bool granted = all_granted_ || options_.max_unread_samples == 0;
  return started() && finished_ && granted && unnumbered_.empty() && replay_.Next() == nullptr;
}

void ResumableSession::Ping(absl::Time now) {
  if (all_sent()) return;  // and half-closed
  auto request = std::make_shared<v1::StreamSessionRequest>();
  request->mutable_ping()->set_client_time_ns(absl::ToUnixNanos(now));
  unnumbered_.push_back(std::move(request));
}

int64_t ResumableSession::SamplesOf(const v1::AudioBlock& block) const {
  if (options_.input.codec == Codec::kOpus) return int64_t{options_.input.sample_rate} * kOpusPacketMs / 1000;
  return static_cast<int64_t>(block.data().size()) / BytesOfSample(options_.input.codec);
}

int64_t ResumableSession::Room() const {
  const auto most = static_cast<int64_t>(absl::ToDoubleSeconds(max_unsent_) * options_.input.sample_rate);
  return std::max<int64_t>(0, most - replay_.unsent_samples());
}

absl::Status ResumableSession::Keep(std::vector<v1::AudioBlock> blocks) {
  for (v1::AudioBlock& block : blocks) {
    const int64_t samples = SamplesOf(block);
    v1::StreamSessionRequest request;
    *request.mutable_audio() = std::move(block);
    RETURN_IF_ERROR(replay_.Add(std::move(request), samples));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> ResumableSession::Add(absl::Span<const float> samples) {
  std::vector<v1::AudioBlock> blocks;
  ASSIGN_OR_RETURN(const size_t taken, input_->Add(samples.first(std::min<size_t>(samples.size(), Room())), &blocks));
  RETURN_IF_ERROR(Keep(std::move(blocks)));
  return taken;
}

absl::StatusOr<int64_t> ResumableSession::AddControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  // Keeps a message far below every limit, and within half the credit.
  constexpr int64_t kMaxFrames = 1000;
  const int64_t most = std::clamp<int64_t>(info_.input_credit / 2 / frame_samples, 1, kMaxFrames);
  const int64_t taken = std::min({static_cast<int64_t>(frames.size()), most, Room() / frame_samples});
  if (taken == 0) return 0;
  const int64_t start = input_->written();
  input_->TakeControls(taken, frame_samples);
  v1::StreamSessionRequest request;
  *request.mutable_control() = ToMessage(frames.first(taken), frame_samples);
  request.mutable_control()->set_seq(control_seq_++);
  request.mutable_control()->set_start_sample(start);
  RETURN_IF_ERROR(replay_.Add(std::move(request), taken * frame_samples));
  return taken;
}

absl::Status ResumableSession::ChangeParameters(int64_t sample, const Parameters& parameters) {
  v1::StreamSessionRequest request;
  v1::ControlBlock* control = request.mutable_control();
  control->set_seq(control_seq_++);
  control->set_start_sample(sample);
  *control->mutable_parameters() = ToMessage(parameters);
  return replay_.Add(std::move(request), 0);
}

absl::Status ResumableSession::Flush(uint64_t id) {
  v1::StreamSessionRequest request;
  request.mutable_flush()->set_id(id);
  return replay_.Add(std::move(request), 0);
}

absl::Status ResumableSession::Finish() {
  finished_ = true;
  if (options_.input.codec == Codec::kOpus || options_.output.codec == Codec::kOpus) {
    total_output_ = TotalOutput(info_, options_.tail, input_->written());
    if (output_ != nullptr) output_->SetTotal(*total_output_);
  }
  std::vector<v1::AudioBlock> blocks;
  RETURN_IF_ERROR(input_->Complete(&blocks).status());
  return Keep(std::move(blocks));
}

void ResumableSession::WasRead(const StreamMessage& message) {
  const auto* audio = std::get_if<AudioBlock>(&message);
  if (audio == nullptr) return;
  auto samples = static_cast<int64_t>(audio->samples.size());
  unread_samples_ -= samples;
  const int64_t withheld = std::min(samples, withheld_);
  withheld_ -= withheld;
  samples -= withheld;
  if (options_.max_unread_samples == 0 || samples == 0 || all_granted_ || !started()) return;
  unnumbered_.push_back(GrantOf(samples));
}

}  // namespace ddsp::client
