// One gRPC call of the server, whatever its method: messages in and out as bytes, one read and one write under way.
//
// The calls of a server share one completion queue, and one thread (IoThread) brings what it completes: a call's
// handler is told one thing at a time. Reading, writing and finishing are begun from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/call_ledger.h"
#include "server/rpc/call_record.h"
#include "server/security/gate.h"

namespace ddsp::server {

// Something begun with a completion queue, which has it as its tag.
class Completion {
 public:
  virtual ~Completion() = default;
  virtual void Complete(bool ok) = 0;
};

// What a method makes of one call. Told on the I/O thread, never from inside a function of the call; deleted there when
// the call is over and nothing is under way any more.
class CallHandler {
 public:
  virtual ~CallHandler() = default;
  // What Call::Read() asked for; null: the client has no more, or is gone.
  virtual void OnRead(grpc::ByteBuffer* message) = 0;
  // The write under way is done; false: it never reached the client.
  virtual void OnWritten(bool ok) { (void)ok; }
  // The client cancelled, vanished or ran out of its deadline before the call was finished. It must be finished still.
  virtual void OnCancel() {}
};

class Call;

// What the text of an error says. Code and details are the same.
enum class ErrorText { kMessage, kReasonAndMessage };

// Finds who handles calls of a method ("/ddsp.v1.Synthesis/StreamSession").
class CallRouter {
 public:
  virtual ~CallRouter() = default;
  // Null: there is no such method. The handler may begin with the call at once.
  virtual std::unique_ptr<CallHandler> Route(const std::string& method, Call& call) = 0;
  virtual bool Knows(const std::string& method) const = 0;
  virtual ErrorText ErrorTextOf(const std::string& method) const = 0;
};

class Call {
 public:
  // What calls of a server have in common; outlives them.
  struct Context {
    grpc::AsyncGenericService* service;
    grpc::ServerCompletionQueue* queue;
    CallRouter* router;
    CallLedger* ledger;
    const CallServices* services = nullptr;  // null: nobody keeps records
    Gate* gate = nullptr;                    // null: everybody may call everything
  };
  // Awaits the next call of the server. It deletes itself when it is over, or when the server is shut down before it
  // came; each call that comes awaits the one after it.
  static void Await(const Context& context);

  // Not called again before OnRead().
  void Read();
  // Not called again before OnWritten(). `more`: another message is ready to follow at once.
  void Write(const google::protobuf::MessageLite& message, bool more = false);
  // Ends the call, the second with a last message and OK. Once, with no write under way, and the last thing done with
  // the call: where nothing has been written the status goes out before any initial metadata.
  void Finish(const absl::Status& status);
  void Finish(const google::protobuf::MessageLite& message);
  // Ends what is under way; the client sees CANCELLED.
  void Cancel() { server_context_.TryCancel(); }
  bool cancelled() const { return cancelled_; }
  // Who calls; before Finish().
  CallRecord& record() { return record_; }
  // What the client sent in a header; empty: nothing.
  std::string Header(const std::string& name) const;
  // Who calls.
  const Principal& caller() const { return pass_.caller; }
  // One of several sessions that the call comes to hold, counted against its caller's quota until the lease ends.
  // Errors: SESSION_QUOTA_EXCEEDED.
  absl::StatusOr<TenantQuotas::Lease> TakeSession() const;

 private:
  class Step : public Completion {
   public:
    Step(Call* call, void (Call::*done)(bool)) : call_(call), done_(done) {}
    void Complete(bool ok) override { (call_->*done_)(ok); }

   private:
    Call* const call_;
    void (Call::*const done_)(bool);
  };

  explicit Call(const Context& context);
  ~Call() = default;
  void Arrived(bool ok);
  // Lets the call in, or says why not.
  absl::Status PassGate();
  void ReadDone(bool ok);
  void WriteDone(bool ok);
  void FinishDone(bool ok);
  void Ended(bool ok);
  void EndRecord(const absl::Status& status);
  // One of the things under way has ended; deletes the call after the last.
  void Release();

  const Context context_;
  const CallLedger::Entry entry_;
  grpc::GenericServerContext server_context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer received_;
  Step arrived_, read_done_, write_done_, finish_done_, ended_;
  CallRecord record_;
  std::unique_ptr<CallHandler> handler_;
  Pass pass_{.caller = Anybody()};
  std::atomic<bool> cancelled_ = false;
  // Reads, writes, the finish and the end that have not been completed.
  std::atomic<int> under_way_ = 2;
};

// False: the bytes are no such message.
bool Parse(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message);

}  // namespace ddsp::server
