#include "server/rpc/render_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/rpc/session_origin.h"

namespace ddsp::server {
namespace {

constexpr int64_t kControlFramesAtOnce = 1000;
constexpr uint32_t kMaxFrameSamples = 8000;  // below any session's credit

int64_t SampleBytes(const v1::RenderRequest& request) {
  return request.config().input_format().encoding() == v1::PCM_S16LE ? 2 : 4;
}

bool IsDrivenByControls(const v1::RenderRequest& request) {
  return request.config().input() == v1::SESSION_INPUT_CONTROLS;
}

bool ReturnsFeatures(const v1::RenderRequest& request) {
  const v1::SessionOutput output = request.config().output();
  return output == v1::SESSION_OUTPUT_FEATURES || output == v1::SESSION_OUTPUT_AUDIO_AND_FEATURES;
}

}  // namespace

absl::Status CheckRender(const v1::RenderRequest& request) {
  std::vector<FieldViolation> opus;
  if (request.config().input_format().encoding() == v1::OPUS) {
    opus.push_back({"config.input_format.encoding", "is OPUS"});
  }
  if (request.config().output_format().encoding() == v1::OPUS) {
    opus.push_back({"config.output_format.encoding", "is OPUS"});
  }
  if (!opus.empty()) return MakeFieldError(Reason::kFormatUnsupported, "packets have no place in one message", opus);
  if (IsDrivenByControls(request) && !request.audio().empty()) {
    return MakeFieldError(Reason::kInvalidConfig, "audio comes with a config that is driven by controls",
                          {{"audio", "expected frames"}});
  }
  if (!IsDrivenByControls(request) && request.frames_size() > 0) {
    return MakeFieldError(Reason::kInvalidConfig, "controls come with a config that is driven by audio",
                          {{"frames", "expected audio"}});
  }
  if (request.config().has_adjust() && (IsDrivenByControls(request) || ReturnsFeatures(request))) {
    return MakeFieldError(Reason::kInvalidConfig, "only audio can be adjusted, and only audio comes of it",
                          {{"config.adjust", "expected audio as input and as output"}});
  }
  if (request.config().has_snapshot_interval() || !request.config().resume().empty()) {
    return MakeFieldError(
        Reason::kInvalidConfig, "what is rendered at once is not gone on with",
        {{request.config().resume().empty() ? "config.snapshot_interval" : "config.resume", "is for StreamSession"}});
  }
  if (request.frame_samples() > kMaxFrameSamples) {
    const std::string expected = absl::StrCat("is ", request.frame_samples(), ", expected at most ", kMaxFrameSamples);
    return MakeFieldError(Reason::kInvalidControl, "frame_samples " + expected, {{"frame_samples", expected}});
  }
  return absl::OkStatus();
}

RenderCall::RenderCall(Call& call, const SessionServices& services, SessionRoster& roster, const Registry& registry,
                       WorkQueue& queue)
    : call_(call), services_(services), roster_(roster), registry_(registry), queue_(queue) {
  call_.Read();
}

RenderCall::~RenderCall() {
  if (const std::shared_ptr<Session> session = this->session(); session != nullptr) {
    session->Detach();
    roster_.Remove(session.get());
  }
}

void RenderCall::OnRead(grpc::ByteBuffer* message) {
  v1::RenderRequest request;
  if (message == nullptr) return Refuse(MakeError(Reason::kMessageMalformed, "the call brought no message"));
  // Itself, and what is read from it; the answer is counted as it grows.
  if (const absl::Status kept = call_.record().Keep(2 * static_cast<int64_t>(message->Length())); !kept.ok()) {
    return Refuse(kept);
  }
  if (!Parse(message, &request))
    return Refuse(MakeError(Reason::kMessageMalformed, "the message is no ddsp.v1.RenderRequest"));
  Begin(request);
}

void RenderCall::Begin(const v1::RenderRequest& request) {
  absl::Status refused = roster_.Welcome();
  if (!refused.ok()) services_.metrics->SessionRejected("unknown", ReasonOf(refused));
  if (refused.ok()) refused = CheckRender(request);
  if (!refused.ok()) return Refuse(refused);
  request.config().has_adjust() ? BeginAdjusted(request) : Start({.request = request});
}

void RenderCall::BeginAdjusted(const v1::RenderRequest& request) {
  const absl::Status posted = queue_.Post([this, request] {
    absl::StatusOr<RenderInput> input = AdjustRender(request, registry_, services_.limits);
    if (input.ok()) return Start(*std::move(input));
    services_.metrics->SessionRejected("unknown", ReasonOf(input.status()));
    Refuse(input.status());
  });
  if (!posted.ok()) Refuse(posted);
}

void RenderCall::Start(RenderInput input) {
  request_ = std::move(input.request);
  control_samples_ = input.control_samples;
  v1::StreamSessionRequest first;
  *first.mutable_config() = request_.config();
  first.mutable_config()->set_output_credit(0);
  first.mutable_config()->set_qos(v1::QUALITY_OF_SERVICE_THROUGHPUT);
  const auto session = std::make_shared<Session>(services_, this, OriginOf(call_, "render"));
  call_.record().SetSession(session->id());
  roster_.Add(session);
  if (!Publish(session)) {
    roster_.Remove(session.get());
    return Finish(absl::CancelledError("the call was cancelled"));
  }
  // From here on a cancellation, and this too, may finish the call and with it this object.
  session->OnRequest(first);
}

bool RenderCall::Publish(const std::shared_ptr<Session>& session) {
  MutexLock lock(&mu_);
  if (!cancelled_) session_ = session;
  return !cancelled_;
}

std::shared_ptr<Session> RenderCall::session() {
  MutexLock lock(&mu_);
  return session_;
}

void RenderCall::OnCancel() {
  std::shared_ptr<Session> session;
  {
    MutexLock lock(&mu_);
    cancelled_ = true;
    session = session_;
  }
  if (session != nullptr) session->OnGone();
}

// Not from inside the session: what it is told next may make it write again.
void RenderCall::Write(v1::StreamSessionResponse message, bool) {
  message_ = std::move(message);
  services_.crew->Post([this, session = session()] {
    if (const absl::Status kept = call_.record().Keep(static_cast<int64_t>(message_.ByteSizeLong())); !kept.ok()) {
      session->End(kept);
      // Reports the write as failed, so that the session does not wait; the call may be gone then.
      return session->OnWritten(false);
    }
    Take(message_);
    Feed();
    // This may finish the call and with it this object.
    session->OnWritten(true);
  });
}

void RenderCall::Finish(const absl::Status& status) { status.ok() ? call_.Finish(response_) : call_.Finish(status); }

void RenderCall::Take(const v1::StreamSessionResponse& message) {
  if (message.has_started()) {
    *response_.mutable_started() = message.started();
    credit_ = static_cast<int64_t>(message.started().input_credit());
  } else if (message.has_audio()) {
    response_.mutable_audio()->append(message.audio().data());
  } else if (message.has_features()) {
    v1::FeatureBlock& all = *response_.mutable_features();
    all.set_frame_rate_hz(message.features().frame_rate_hz());
    all.mutable_f0_hz()->MergeFrom(message.features().f0_hz());
    all.mutable_f0_confidence()->MergeFrom(message.features().f0_confidence());
    all.mutable_voiced()->MergeFrom(message.features().voiced());
    all.mutable_loudness_db()->MergeFrom(message.features().loudness_db());
    all.mutable_power_db()->MergeFrom(message.features().power_db());
  } else if (message.has_credit()) {
    credit_ += static_cast<int64_t>(message.credit().samples());
  }
}

void RenderCall::Feed() {
  if (ended_ || !response_.has_started()) return;
  IsDrivenByControls(request_) ? FeedControls() : FeedAudio();
  const int64_t all =
      IsDrivenByControls(request_) ? request_.frames_size() : static_cast<int64_t>(request_.audio().size());
  if (fed_ < all) return;
  ended_ = true;
  session()->OnHalfClose();
}

void RenderCall::FeedAudio() {
  const int64_t sample_bytes = SampleBytes(request_), all = static_cast<int64_t>(request_.audio().size());
  const std::shared_ptr<Session> session = this->session();
  while (fed_ < all && credit_ > 0) {
    // A rest that is no whole sample goes along, and is refused by the session.
    const int64_t samples = std::min(credit_, services_.limits.max_block_bytes / sample_bytes);
    const int64_t bytes = all - fed_ < samples * sample_bytes ? all - fed_ : samples * sample_bytes;
    v1::StreamSessionRequest next;
    next.mutable_audio()->set_seq(seq_++);
    next.mutable_audio()->set_start_sample(fed_ / sample_bytes);
    next.mutable_audio()->set_data(request_.audio().substr(fed_, bytes));
    fed_ += bytes;
    credit_ -= bytes / sample_bytes;
    session->OnRequest(next);
  }
}

// The last one is cut where the recording ends that the frames stand for.
int64_t RenderCall::FrameSamples(int64_t frame) const {
  const int64_t whole = request_.frame_samples();
  return control_samples_ == 0 ? whole : std::min(whole, control_samples_ - frame * whole);
}

void RenderCall::FeedControls() {
  const std::shared_ptr<Session> session = this->session();
  const int64_t frames = request_.frames_size(), whole = request_.frame_samples();
  while (fed_ < frames && credit_ >= std::max<int64_t>(1, FrameSamples(fed_))) {
    const int64_t length = FrameSamples(fed_);
    int64_t count = 1;
    while (count < kControlFramesAtOnce && fed_ + count < frames && FrameSamples(fed_ + count) == length &&
           (count + 1) * length <= credit_) {
      ++count;
    }
    v1::StreamSessionRequest next;
    v1::ControlBlock& control = *next.mutable_control();
    control.set_seq(seq_++);
    control.set_start_sample(fed_ * whole);
    control.set_frame_samples(length);
    for (int64_t i = fed_; i < fed_ + count; ++i) *control.add_frames() = request_.frames(static_cast<int>(i));
    fed_ += count;
    credit_ -= count * length;
    session->OnRequest(next);
  }
}

}  // namespace ddsp::server
