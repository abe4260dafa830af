#include "client/sdk/session_link.h"

#include <utility>

#include "client/sdk/error.h"

namespace ddsp::client {

SessionLink::SessionLink(std::shared_ptr<grpc::Channel> channel, Owner* owner)
    : channel_(std::move(channel)), owner_(owner), stub_(v1::Synthesis::NewStub(channel_)) {}

SessionLink::~SessionLink() {
  context_.TryCancel();
  MutexLock lock(&mu_);
  while (state_ != State::kIdle && state_ != State::kEnded) changed_.Wait(&mu_);
}

void SessionLink::Start(Request first) {
  {
    MutexLock lock(&mu_);
    state_ = State::kOpen;
  }
  stub_->async()->StreamSession(&context_, this);
  // Keeps OnDone away while this side may still start a write.
  AddHold();
  StartRead(&response_);
  StartCall();
  Send(std::move(first));
}

void SessionLink::Send(Request request) {
  MutexLock lock(&mu_);
  if (state_ != State::kOpen) return;
  queue_.push_back(std::move(request));
  Pump();
}

void SessionLink::CloseInput() {
  MutexLock lock(&mu_);
  input_closed_ = true;
  Pump();
}

bool SessionLink::ended() const {
  MutexLock lock(&mu_);
  return state_ == State::kEnded;
}

void SessionLink::Pump() {
  if (writing_ || half_closed_ || state_ != State::kOpen) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(queue_.front().get());
  } else if (input_closed_) {
    half_closed_ = true;
    StartWritesDone();
  }
}

void SessionLink::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  writing_ = false;
  queue_.pop_front();
  if (ok) Pump();
}

void SessionLink::OnReadDone(bool ok) {
  if (ok) {
    owner_->Received(*this, response_);
    StartRead(&response_);
    return;
  }
  MutexLock lock(&mu_);
  state_ = State::kClosing;
  RemoveHold();
}

void SessionLink::OnDone(const grpc::Status& status) {
  owner_->Ended(*this, FromGrpc(status));
  // The destructor may run as soon as this is seen.
  MutexLock lock(&mu_);
  state_ = State::kEnded;
  changed_.NotifyAll();
}

}  // namespace ddsp::client
