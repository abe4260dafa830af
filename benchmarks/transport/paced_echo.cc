#include "benchmarks/transport/paced_echo.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ddsp/v1/session.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPeriod(20), kRound(1);
constexpr int kEmptyPolls = 4;

enum class Step : intptr_t { kOpened, kWritten, kRead };

struct Stream {
  std::unique_ptr<grpc::GenericStub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  grpc::ByteBuffer echo;
  Clock::time_point next, sent;
  bool opened = false, writing = false;
};

// All streams in one thread: once a millisecond it sends what is due and takes what has come.
class Load {
 public:
  Load(int port, const PacedEcho& options) : streams_(options.streams) {
    v1::StreamSessionRequest request;
    request.mutable_audio()->set_data(std::string(options.message_bytes, 'x'));
    const grpc::Slice slice(request.SerializeAsString());
    message_ = grpc::ByteBuffer(&slice, 1);
    for (size_t i = 0; i < streams_.size(); ++i) Open(port, i);
    while (opened_ < streams_.size()) Take();
  }
  ~Load() {
    for (Stream& stream : streams_) stream.context.TryCancel();
    queue_.Shutdown();
    void* tag;
    for (bool ok; queue_.Next(&tag, &ok);) {
    }
  }

  EchoFigures Run(double seconds) {
    const Clock::time_point begin = Clock::now(), end = begin + Nanoseconds(seconds);
    for (size_t i = 0; i < streams_.size(); ++i) streams_[i].next = begin + kPeriod * i / streams_.size();
    while (Clock::now() < end) {
      SendDue();
      std::this_thread::sleep_for(kRound);
      Take();
    }
    if (latencies_ms_.empty()) return {};
    std::sort(latencies_ms_.begin(), latencies_ms_.end());
    const size_t count = latencies_ms_.size();
    return {count / seconds, latencies_ms_[count / 2], latencies_ms_[count * 99 / 100]};
  }

 private:
  static Clock::duration Nanoseconds(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  static void* Tag(size_t stream, Step step) {
    return reinterpret_cast<void*>(static_cast<intptr_t>(stream) * 4 + static_cast<intptr_t>(step));
  }

  void Open(int port, size_t i) {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    streams_[i].stub = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), own));
    streams_[i].call = streams_[i].stub->PrepareCall(&streams_[i].context, "/benchmark.Echo/Talk", &queue_);
    streams_[i].call->StartCall(Tag(i, Step::kOpened));
  }

  void SendDue() {
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < streams_.size(); ++i) {
      Stream& stream = streams_[i];
      if (stream.writing || now < stream.next) continue;
      stream.writing = true;
      stream.sent = stream.next;
      stream.next += kPeriod;
      stream.call->Write(message_, Tag(i, Step::kWritten));
    }
  }

  void Take() {
    void* tag = nullptr;
    bool ok = false;
    for (int empty = 0; empty < kEmptyPolls;) {
      if (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) != grpc::CompletionQueue::GOT_EVENT) {
        ++empty;
        continue;
      }
      empty = 0;
      const auto value = reinterpret_cast<intptr_t>(tag);
      if (ok) Done(static_cast<size_t>(value / 4), static_cast<Step>(value % 4));
    }
  }

  void Done(size_t i, Step step) {
    Stream& stream = streams_[i];
    if (step == Step::kWritten) {
      stream.writing = false;
      return;
    }
    if (step == Step::kOpened) ++opened_;
    if (step == Step::kRead) {
      latencies_ms_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - stream.sent).count());
    }
    stream.call->Read(&stream.echo, Tag(i, Step::kRead));
  }

  grpc::CompletionQueue queue_;
  grpc::ByteBuffer message_;
  std::vector<Stream> streams_;
  size_t opened_ = 0;
  std::vector<double> latencies_ms_;
};

}  // namespace

EchoFigures RunPacedEcho(int port, const PacedEcho& options, const std::function<void()>& all_open) {
  Load load(port, options);
  all_open();
  return load.Run(options.seconds);
}

}  // namespace ddsp::benchmarks
