#include "load-tests/soak/generic_call.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <optional>

#include "client/sdk/error.h"
#include "core/base/mutex.h"

namespace ddsp::soak {
namespace {

class Reactor : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Reactor(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      const grpc::Slice slice(message);
      messages_.emplace_back(&slice, 1);
    }
  }
  // The call may be over as soon as it has started, so that is what comes last.
  void Begin() {
    SendNext();
    StartRead(&answer_);
    StartCall();
  }
  grpc::Status Wait() {
    const MutexLock lock(&mu_);
    while (!status_.has_value()) done_.Wait(&mu_);
    return *status_;
  }

 private:
  void OnWriteDone(bool ok) override {
    if (ok) SendNext();
  }
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&answer_);
  }
  void OnDone(const grpc::Status& status) override {
    const MutexLock lock(&mu_);
    status_ = status;
    done_.NotifyAll();
  }
  void SendNext() { next_ < messages_.size() ? StartWrite(&messages_[next_++]) : StartWritesDone(); }

  std::vector<grpc::ByteBuffer> messages_;
  size_t next_ = 0;
  grpc::ByteBuffer answer_;
  Mutex mu_;
  CondVar done_;
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::Status CallAnything(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          const std::vector<std::string>& messages, double deadline_seconds) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::microseconds(static_cast<int64_t>(deadline_seconds * 1e6)));
  Reactor reactor(messages);
  stub.PrepareBidiStreamingCall(&context, method, grpc::StubOptions(), &reactor);
  reactor.Begin();
  return client::FromGrpc(reactor.Wait());
}

}  // namespace ddsp::soak
