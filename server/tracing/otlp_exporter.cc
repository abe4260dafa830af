#include "server/tracing/otlp_exporter.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "grpc/support/time.h"
#include "grpcpp/grpcpp.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace ddsp::server {

namespace otlp = opentelemetry::proto::collector::trace::v1;

namespace {

constexpr char kTls[] = "https://";

std::string AddressOf(absl::string_view endpoint) {
  if (!absl::ConsumePrefix(&endpoint, "http://")) absl::ConsumePrefix(&endpoint, kTls);
  return std::string(endpoint);
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const OtlpExporter::Options& options) {
  if (!absl::StartsWith(options.endpoint, kTls)) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = options.ca_certificates, .pem_private_key = {}, .pem_cert_chain = {}});
}

}  // namespace

// The collector's end. It looks for its answer now and then instead of waiting in gRPC: a thread that waits there takes
// the wakes of the server's I/O thread (server/rpc/io_thread.h).
class OtlpExporter::Collector {
 public:
  explicit Collector(const Options& options)
      : stub_(otlp::TraceService::NewStub(grpc::CreateChannel(AddressOf(options.endpoint), CredentialsOf(options)))) {}
  ~Collector() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // `give_up` is asked again and again.
  template <typename GiveUp>
  grpc::Status Export(const otlp::ExportTraceServiceRequest& request, absl::Duration timeout, GiveUp give_up) {
    constexpr absl::Duration kLook = absl::Milliseconds(5);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
    const auto call = stub_->AsyncExport(&context, request, &queue_);
    otlp::ExportTraceServiceResponse response;
    grpc::Status status;
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    while (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) == grpc::CompletionQueue::TIMEOUT) {
      if (give_up()) context.TryCancel();
      absl::SleepFor(kLook);
    }
    return status;
  }

 private:
  const std::unique_ptr<otlp::TraceService::Stub> stub_;
  grpc::CompletionQueue queue_;
};

namespace {

// As the specification of OTLP has it: these may pass.
bool MayPass(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

}  // namespace

OtlpExporter::OtlpExporter(const Options& options, TraceSource source)
    : options_(options),
      clock_(*options.clock),
      source_(std::move(source)),
      collector_(std::make_unique<Collector>(options)),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "ddsp-traces");
}

OtlpExporter::~OtlpExporter() {
  {
    const MutexLock lock(&mu_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void OtlpExporter::Take(SpanRecord span) {
  const MutexLock lock(&mu_);
  if (queue_.size() >= options_.max_queue) {
    ++counts_.dropped;
    return;
  }
  queue_.push_back(std::move(span));
  if (queue_.size() == options_.max_batch) changed_.NotifyAll();
}

void OtlpExporter::Flush() {
  const MutexLock lock(&mu_);
  hurry_ = true;
  changed_.NotifyAll();
  while (!queue_.empty() || sending_) changed_.Wait(&mu_);
  hurry_ = false;
}

OtlpExporter::Counts OtlpExporter::counts() const {
  const MutexLock lock(&mu_);
  return counts_;
}

bool OtlpExporter::stopped() const {
  const MutexLock lock(&mu_);
  return stopped_;
}

bool OtlpExporter::Rest(absl::Duration wait) {
  const absl::Time until = clock_.Now() + wait;
  const MutexLock lock(&mu_);
  while (!stopped_ && clock_.Now() < until) changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(until - clock_.Now()));
  return !stopped_;
}

std::vector<SpanRecord> OtlpExporter::Next() {
  const MutexLock lock(&mu_);
  sending_ = false;
  changed_.NotifyAll();
  const absl::Time until = clock_.Now() + options_.interval;
  while (!stopped_ && queue_.size() < options_.max_batch && !(hurry_ && !queue_.empty())) {
    if (!queue_.empty() && clock_.Now() >= until) break;
    const absl::Duration left = queue_.empty() ? options_.interval : until - clock_.Now();
    changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(std::max(left, absl::Milliseconds(1))));
  }
  std::vector<SpanRecord> batch;
  while (!queue_.empty() && batch.size() < options_.max_batch) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  sending_ = !batch.empty();
  return batch;
}

bool OtlpExporter::Send(const std::vector<SpanRecord>& batch) {
  const otlp::ExportTraceServiceRequest request = ToOtlp(batch, source_);
  absl::Duration wait = options_.first_wait;
  for (int attempt = 1;; ++attempt) {
    // Who stops waits a moment for the last words, not for a collector that is away.
    const absl::Time patience = clock_.Now() + absl::Seconds(1);
    const grpc::Status status =
        collector_->Export(request, options_.timeout, [&] { return stopped() && clock_.Now() > patience; });
    if (status.ok()) return true;
    if (!MayPass(status) || attempt >= options_.attempts || !Rest(wait)) return false;
    wait *= 2;
  }
}

void OtlpExporter::Run() {
  for (std::vector<SpanRecord> batch = Next(); !batch.empty(); batch = Next()) {
    const bool sent = Send(batch);
    const MutexLock lock(&mu_);
    (sent ? counts_.sent : counts_.dropped) += static_cast<int64_t>(batch.size());
    if (sent || !stopped_) continue;
    counts_.dropped += static_cast<int64_t>(queue_.size());
    queue_.clear();
  }
}

}  // namespace ddsp::server
