#include "client/sdk/synthesis_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "client/sdk/session_messages.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

constexpr uint64_t kEverything = uint64_t{1} << 40;  // samples

}  // namespace

SynthesisStream::Call::Call(std::shared_ptr<grpc::Channel> channel, StreamOptions options)
    : channel_(std::move(channel)), options_(std::move(options)), stub_(v1::Synthesis::NewStub(channel_)) {}

SynthesisStream::Call::~Call() {
  context_.TryCancel();
  MutexLock lock(&mu_);
  while (state_ != State::kIdle && state_ != State::kDone) changed_.Wait(&mu_);
}

absl::Status SynthesisStream::Call::Start() {
  v1::StreamSessionRequest request;
  *request.mutable_config() = ToConfig(options_);
  if (options_.input.codec == Codec::kOpus) {
    ASSIGN_OR_RETURN(const auto encoder, MakeEncoder(Codec::kOpus, options_.input.sample_rate, options_.opus_bitrate));
    request.mutable_config()->set_input_codec_delay_samples(encoder->delay());
  }
  {
    MutexLock lock(&mu_);
    state_ = State::kOpening;
  }
  stub_->async()->StreamSession(&context_, this);
  // Keeps OnDone away while this side may still start a write.
  AddHold();
  StartRead(&response_);
  StartCall();
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options_.open_timeout);
  MutexLock lock(&mu_);
  queue_.push_back(std::move(request));
  Pump();
  while (state_ == State::kOpening || state_ == State::kClosed) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) {
      context_.TryCancel();
      while (state_ != State::kDone) changed_.Wait(&mu_);
      return absl::DeadlineExceededError(
          absl::StrCat("the server did not start a session within ", absl::FormatDuration(options_.open_timeout)));
    }
    changed_.WaitFor(&mu_, left);
  }
  if (state_ == State::kOpen) return absl::OkStatus();
  return status_.ok() ? absl::InternalError("the server ended the session before it started it") : status_;
}

absl::StatusOr<size_t> SynthesisStream::Call::TryWrite(absl::Span<const float> samples) {
  MutexLock lock(&mu_);
  return AddSamples(samples);
}

absl::Status SynthesisStream::Call::Write(absl::Span<const float> samples) {
  MutexLock lock(&mu_);
  while (true) {
    ASSIGN_OR_RETURN(const size_t taken, AddSamples(samples));
    samples.remove_prefix(taken);
    if (samples.empty()) return absl::OkStatus();
    changed_.Wait(&mu_);
  }
}

absl::Status SynthesisStream::Call::WriteControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  MutexLock lock(&mu_);
  if (frame_samples < 1)
    return absl::InvalidArgumentError(absl::StrCat("frame_samples is ", frame_samples, "; at least 1"));
  while (!frames.empty()) {
    ASSIGN_OR_RETURN(const int64_t taken, AddControls(frames, frame_samples));
    frames.remove_prefix(taken);
    if (taken == 0) changed_.Wait(&mu_);
  }
  return absl::OkStatus();
}

absl::Status SynthesisStream::Call::Send(v1::StreamSessionRequest request) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  queue_.push_back(std::move(request));
  Pump();
  return absl::OkStatus();
}

absl::Status SynthesisStream::Call::SendParameters(int64_t sample, const Parameters& parameters) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  v1::ControlBlock* control = queue_.emplace_back().mutable_control();
  control->set_seq(control_seq_++);
  control->set_start_sample(sample);
  *control->mutable_parameters() = ToMessage(parameters);
  Pump();
  return absl::OkStatus();
}

absl::Status SynthesisStream::Call::Finish() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(WritableStatus());
  finishing_ = true;
  const bool fills_packets = options_.input.codec == Codec::kOpus || options_.output.codec == Codec::kOpus;
  if (fills_packets) total_output_ = TotalOutput(started_, options_.tail, input_->written());
  return CompleteInput();
}

absl::StatusOr<std::optional<StreamMessage>> SynthesisStream::Call::Read() {
  MutexLock lock(&mu_);
  while (unread_.empty() && state_ != State::kDone) changed_.Wait(&mu_);
  if (unread_.empty()) {
    if (status_.ok()) return std::nullopt;
    return status_;
  }
  StreamMessage message = std::move(unread_.front());
  unread_.pop_front();
  GrantUnread(message);
  return message;
}

absl::Status SynthesisStream::Call::WritableStatus() {
  // The reason is known once the transport has wound up.
  while (state_ == State::kClosed) changed_.Wait(&mu_);
  if (state_ == State::kDone) return status_.ok() ? absl::FailedPreconditionError("the session has ended") : status_;
  if (finishing_) return absl::FailedPreconditionError("the session's input is finished");
  return absl::OkStatus();
}

absl::StatusOr<size_t> SynthesisStream::Call::AddSamples(absl::Span<const float> samples) {
  RETURN_IF_ERROR(WritableStatus());
  std::vector<v1::AudioBlock> blocks;
  ASSIGN_OR_RETURN(const size_t taken, input_->Add(samples, &blocks));
  Enqueue(std::move(blocks));
  return taken;
}

absl::StatusOr<int64_t> SynthesisStream::Call::AddControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  RETURN_IF_ERROR(WritableStatus());
  constexpr int64_t kMaxFrames = 1000;  // keeps a message far below every limit
  const int64_t start = input_->written();
  const int64_t taken = input_->TakeControls(std::min<int64_t>(frames.size(), kMaxFrames), frame_samples);
  if (taken == 0) return 0;
  v1::ControlBlock* control = queue_.emplace_back().mutable_control();
  *control = ToMessage(frames.first(taken), frame_samples);
  control->set_seq(control_seq_++);
  control->set_start_sample(start);
  Pump();
  return taken;
}

absl::Status SynthesisStream::Call::CompleteInput() {
  std::vector<v1::AudioBlock> blocks;
  ASSIGN_OR_RETURN(input_complete_, input_->Complete(&blocks));
  if (input_complete_ && options_.max_unread_samples > 0) {
    // Nothing can be granted after the half-close, and what is left to come is bounded by what the server buffers.
    queue_.emplace_back().mutable_credit()->set_samples(kEverything);
  }
  Enqueue(std::move(blocks));
  return absl::OkStatus();
}

void SynthesisStream::Call::Enqueue(std::vector<v1::AudioBlock> blocks) {
  for (v1::AudioBlock& block : blocks) *queue_.emplace_back().mutable_audio() = std::move(block);
  Pump();
}

void SynthesisStream::Call::Pump() {
  if (writing_ || half_closed_ || state_ == State::kClosed || state_ == State::kDone) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(&queue_.front());
  } else if (input_complete_) {
    half_closed_ = true;
    StartWritesDone();
  }
}

void SynthesisStream::Call::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  writing_ = false;
  queue_.pop_front();
  if (ok) Pump();
}

void SynthesisStream::Call::OnReadDone(bool ok) {
  if (!ok) {
    MutexLock lock(&mu_);
    state_ = State::kClosed;
    RemoveHold();
    changed_.NotifyAll();
    return;
  }
  absl::StatusOr<std::optional<StreamMessage>> message = TakeResponse();
  if (!message.ok()) {
    Fail(message.status());
  } else if (*message && options_.on_message) {
    options_.on_message(*std::move(*message));
  } else if (*message) {
    MutexLock lock(&mu_);
    unread_.push_back(*std::move(*message));
    changed_.NotifyAll();
  }
  StartRead(&response_);
}

void SynthesisStream::Call::OnDone(const grpc::Status& status) {
  absl::Status end;
  {
    MutexLock lock(&mu_);
    if (status_.ok()) status_ = FromGrpc(status);
    end = status_;
  }
  if (options_.on_end) options_.on_end(end);
  // The destructor may run as soon as this is seen.
  MutexLock lock(&mu_);
  state_ = State::kDone;
  changed_.NotifyAll();
}

void SynthesisStream::Call::Fail(absl::Status status) {
  MutexLock lock(&mu_);
  if (status_.ok()) status_ = std::move(status);
  context_.TryCancel();
}

absl::StatusOr<std::optional<StreamMessage>> SynthesisStream::Call::TakeResponse() {
  if (output_ == nullptr && !response_.has_started())
    return absl::InternalError("the server's first message is not `started`");
  switch (response_.response_case()) {
    case v1::StreamSessionResponse::kStarted:
      RETURN_IF_ERROR(TakeStarted(response_.started()));
      return std::nullopt;
    case v1::StreamSessionResponse::kAudio: {
      {
        MutexLock lock(&mu_);
        if (total_output_) output_->SetTotal(*total_output_);
      }
      ASSIGN_OR_RETURN(AudioBlock audio, output_->Take(response_.audio()));
      audio.received = std::chrono::steady_clock::now();
      return StreamMessage(std::move(audio));
    }
    case v1::StreamSessionResponse::kFeatures:
      return StreamMessage(FromMessage(response_.features()));
    case v1::StreamSessionResponse::kEvent:
      return StreamMessage(FromMessage(response_.event()));
    case v1::StreamSessionResponse::kSummary:
      return StreamMessage(FromMessage(response_.summary()));
    case v1::StreamSessionResponse::kCredit:
      TakeGrant(response_.credit().samples());
      return std::nullopt;
    default:
      // Pongs, and what later servers may say.
      return std::nullopt;
  }
}

absl::Status SynthesisStream::Call::TakeStarted(const v1::SessionStarted& started) {
  if (output_ != nullptr) return absl::InternalError("the server started the session twice");
  started_ = FromMessage(started);
  ASSIGN_OR_RETURN(auto encoder, MakeEncoder(options_.input.codec, options_.input.sample_rate, options_.opus_bitrate));
  const Codec codec = AudioCodec(options_);
  ASSIGN_OR_RETURN(auto decoder, MakeDecoder(codec, started_.output.sample_rate));
  output_ =
      std::make_unique<OutputBlocks>(std::move(decoder), OutputBlocks::Format{codec, started_.output_codec_delay});
  MutexLock lock(&mu_);
  input_ = std::make_unique<InputBlocks>(
      std::move(encoder),
      InputBlocks::Limits{started_.input_credit, started.max_block_bytes(), started_.input_codec_delay});
  state_ = State::kOpen;
  changed_.NotifyAll();
  return absl::OkStatus();
}

void SynthesisStream::Call::TakeGrant(int64_t samples) {
  MutexLock lock(&mu_);
  input_->Grant(samples);
  // What was held back for want of credit goes first.
  std::vector<v1::AudioBlock> blocks;
  if (finishing_ && !input_complete_) {
    if (absl::Status status = CompleteInput(); !status.ok() && status_.ok()) status_ = status;
  } else if (!finishing_ && input_->Add({}, &blocks).ok()) {
    Enqueue(std::move(blocks));
  }
  changed_.NotifyAll();
}

void SynthesisStream::Call::GrantUnread(const StreamMessage& message) {
  const AudioBlock* audio = std::get_if<AudioBlock>(&message);
  if (audio == nullptr || options_.max_unread_samples == 0 || state_ != State::kOpen || input_complete_) return;
  queue_.emplace_back().mutable_credit()->set_samples(audio->samples.size());
  Pump();
}

}  // namespace ddsp::client
