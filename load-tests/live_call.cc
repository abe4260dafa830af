#include "load-tests/live_call.h"

#include <chrono>
#include <thread>
#include <utility>

#include "client/sdk/error.h"
#include "client/sdk/session_messages.h"
#include "core/base/status_macros.h"

namespace ddsp::loadtest {
namespace {

// A look handles one event of the network, and not each completes something: the acknowledgement of a write is one too.
// So looking ends after this many looks without effect, and one more for each thing that was completed of late.
constexpr int kEmptyLooks = 3;

}  // namespace

LiveCall::LiveCall(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
                   const client::StreamOptions& options, bool reads)
    : loop_(loop),
      options_(options),
      reads_(reads),
      tags_{{this, Event::kStarted}, {this, Event::kRead}, {this, Event::kWritten}, {this, Event::kEnded}},
      stub_(v1::Synthesis::NewStub(channel)) {
  ++loop_.calls_;
  v1::StreamSessionRequest& request = queue_.emplace_back();
  *request.mutable_config() = client::ToConfig(options_);
  if (options_.input.codec == client::Codec::kOpus) {
    const auto encoder = client::MakeEncoder(client::Codec::kOpus, options_.input.sample_rate, options_.opus_bitrate);
    if (encoder.ok()) request.mutable_config()->set_input_codec_delay_samples((*encoder)->delay());
  }
  writing_ = true;  // until the call has started
  stream_ = stub_->PrepareAsyncStreamSession(&context_, &loop_.queue());
  stream_->StartCall(&tags_[0]);
}

LiveCall::~LiveCall() = default;

void LiveCall::Abandon(std::unique_ptr<LiveCall> call) {
  if (call->ended_) return;
  call->on_block = nullptr;
  call->abandoned_ = true;
  call.release()->Cancel();
}

void LiveCall::Cancel() {
  context_.TryCancel();
  // With no read under way nothing else would tell of the end.
  if (!reading_) over_ = true;
  AskForEnd();
}

void LiveCall::Complete(Event event, bool ok) {
  switch (event) {
    case Event::kStarted:
      writing_ = false;
      over_ |= !ok;
      if (ok) {
        Pump();
        Read();
      }
      break;
    case Event::kRead:
      reading_ = false;
      over_ |= !ok;
      if (ok) Take();
      if (ok && (reads_ || !started())) Read();
      break;
    case Event::kWritten:
      writing_ = false;
      if (!queue_.empty()) queue_.pop_front();
      // Who does not read learns of the end like this.
      if (!ok && !reading_) over_ = true;
      if (ok) Pump();
      break;
    case Event::kEnded:
      if (status_.ok()) status_ = client::FromGrpc(grpc_status_);
      ended_ = true;
      ended_at_ = std::chrono::steady_clock::now();
      --loop_.calls_;
      if (abandoned_) delete this;
      return;
  }
  AskForEnd();
}

void LiveCall::AskForEnd() {
  if (!over_ || reading_ || writing_ || asked_) return;
  asked_ = true;
  stream_->Finish(&grpc_status_, &tags_[3]);
}

void LiveCall::Read() {
  if (over_) return;
  reading_ = true;
  stream_->Read(&response_, &tags_[1]);
}

void LiveCall::Fail(const absl::Status& status) {
  if (status_.ok()) status_ = status;
  Cancel();
}

void LiveCall::Take() {
  switch (response_.response_case()) {
    case v1::StreamSessionResponse::kStarted:
      if (absl::Status status = TakeStarted(); !status.ok()) Fail(status);
      break;
    case v1::StreamSessionResponse::kAudio: {
      if (output_ == nullptr) return Fail(absl::InternalError("audio came before `started`"));
      absl::StatusOr<client::AudioBlock> block = output_->Take(response_.audio());
      if (!block.ok()) return Fail(block.status());
      block->received = std::chrono::steady_clock::now();
      if (on_block) on_block(*block);
      break;
    }
    case v1::StreamSessionResponse::kCredit:
      if (input_ == nullptr) return;
      input_->Grant(static_cast<int64_t>(response_.credit().samples()));
      if (finishing_) CompleteInput();
      break;
    default:
      break;
  }
}

absl::Status LiveCall::TakeStarted() {
  const v1::SessionStarted& started = response_.started();
  started_ = client::FromMessage(started);
  ASSIGN_OR_RETURN(auto encoder,
                   client::MakeEncoder(options_.input.codec, options_.input.sample_rate, options_.opus_bitrate));
  ASSIGN_OR_RETURN(auto decoder, client::MakeDecoder(options_.output.codec, started_->output.sample_rate));
  output_ = std::make_unique<client::OutputBlocks>(
      std::move(decoder), client::OutputBlocks::Format{options_.output.codec, started_->output_codec_delay});
  input_ = std::make_unique<client::InputBlocks>(
      std::move(encoder),
      client::InputBlocks::Limits{started_->input_credit, static_cast<int>(started.max_block_bytes()),
                                  started_->input_codec_delay});
  return absl::OkStatus();
}

size_t LiveCall::Write(absl::Span<const float> samples) {
  if (!started() || over_ || finishing_) return 0;
  std::vector<v1::AudioBlock> blocks;
  const absl::StatusOr<size_t> taken = input_->Add(samples, &blocks);
  if (!taken.ok()) {
    Fail(taken.status());
    return 0;
  }
  Enqueue(std::move(blocks));
  return *taken;
}

void LiveCall::Finish() {
  if (!started() || over_ || finishing_) return;
  finishing_ = true;
  if (options_.input.codec == client::Codec::kOpus || options_.output.codec == client::Codec::kOpus) {
    output_->SetTotal(client::TotalOutput(*started_, options_.tail, input_->written()));
  }
  CompleteInput();
}

void LiveCall::CompleteInput() {
  if (input_complete_) return;
  std::vector<v1::AudioBlock> blocks;
  const absl::StatusOr<bool> complete = input_->Complete(&blocks);
  if (!complete.ok()) return Fail(complete.status());
  input_complete_ = *complete;
  Enqueue(std::move(blocks));
}

void LiveCall::Enqueue(std::vector<v1::AudioBlock> blocks) {
  for (v1::AudioBlock& block : blocks) *queue_.emplace_back().mutable_audio() = std::move(block);
  Pump();
}

void LiveCall::Pump() {
  if (writing_ || half_closed_ || over_) return;
  if (!queue_.empty()) {
    writing_ = true;
    stream_->Write(queue_.front(), &tags_[2]);
  } else if (input_complete_) {
    writing_ = half_closed_ = true;
    stream_->WritesDone(&tags_[2]);
  }
}

void ClientLoop::Drain() {
  void* tag = nullptr;
  bool ok = false;
  int empty_looks = kEmptyLooks + std::exchange(completed_, 0);
  while (empty_looks > 0 && calls_ > 0) {
    if (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) == grpc::CompletionQueue::GOT_EVENT) {
      const LiveCall::Tag* of_call = static_cast<LiveCall::Tag*>(tag);
      of_call->call->Complete(of_call->event, ok);
      ++completed_;
      ++empty_looks;
    } else {
      --empty_looks;
    }
  }
}

bool ClientLoop::Run(std::chrono::steady_clock::duration limit, const std::function<bool()>& done,
                     const std::function<void(std::chrono::steady_clock::time_point)>& act) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + limit;
  for (Clock::time_point now = Clock::now(); !done(); now = Clock::now()) {
    if (now > end) return false;
    if (act) act(now);
    Drain();
    std::this_thread::sleep_until(now + std::chrono::milliseconds(1));
  }
  return true;
}

ClientLoop::~ClientLoop() {
  Run(std::chrono::hours(1), [this] { return calls_ == 0; });
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

}  // namespace ddsp::loadtest
