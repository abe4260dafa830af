#include "server/rpc/orca_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/errors/errors.h"
#include "server/rpc/call.h"
#include "xds/data/orca/v3/orca_load_report.pb.h"
#include "xds/service/orca/v3/orca.pb.h"

namespace ddsp::server {
namespace {

using xds::data::orca::v3::OrcaLoadReport;

constexpr absl::Duration kUsualInterval = absl::Seconds(10), kShortestInterval = absl::Seconds(1);

OrcaLoadReport ReportOf(const ServerLoad& load) {
  OrcaLoadReport report;
  report.set_cpu_utilization(load.cpu);
  report.set_mem_utilization(load.memory);
  report.set_rps_fractional(load.calls);
  report.set_eps(load.errors);
  report.set_application_utilization(std::max(load.slots, load.device));
  (*report.mutable_named_metrics())["slot_utilization"] = load.slots;
  (*report.mutable_named_metrics())["device_utilization"] = load.device;
  return report;
}

}  // namespace

std::string ToOrca(const ServerLoad& load) { return ReportOf(load).SerializeAsString(); }

// What evolves is guarded by the service's mutex, under which it also calls its call: neither Tick() nor the I/O thread
// may find the call gone.
class OrcaService::Listener : public CallHandler {
 public:
  Listener(Call& call, OrcaService& service) : call_(call), service_(service) { call_.Read(); }
  ~Listener() override {
    const MutexLock lock(&service_.mu_);
    service_.listeners_.erase(this);
  }

  void OnRead(grpc::ByteBuffer* message) override {
    xds::service::orca::v3::OrcaLoadReportRequest request;
    const MutexLock lock(&service_.mu_);
    if (message == nullptr || !Parse(message, &request)) {
      return Fail(
          MakeError(Reason::kMessageMalformed, "the call brought no xds.service.orca.v3.OrcaLoadReportRequest"));
    }
    if (request.has_report_interval()) {
      interval_ = std::max(kShortestInterval, absl::Seconds(request.report_interval().seconds()) +
                                                  absl::Nanoseconds(request.report_interval().nanos()));
    }
    service_.listeners_.insert(this);
    Send(absl::InfinitePast());
  }
  void OnWritten(bool ok) override {
    const MutexLock lock(&service_.mu_);
    writing_ = false;
    if (!ok || gone_) Fail(absl::CancelledError("the listener is gone"));
  }
  void OnCancel() override {
    const MutexLock lock(&service_.mu_);
    gone_ = true;
    if (!writing_) Fail(absl::CancelledError("the listener is gone"));
  }

  // The service's mutex is held. Half a tick early is as good as due.
  void Tick(absl::Time now) {
    if (sent_ == absl::InfinitePast()) sent_ = now;  // the first report went out between two ticks
    if (!writing_ && !finished_ && now - sent_ >= interval_ - kShortestInterval / 2) Send(now);
  }

 private:
  void Send(absl::Time now) {
    writing_ = true;
    sent_ = now;
    call_.Write(ReportOf(service_.load_()));
  }
  void Fail(const absl::Status& status) {
    if (std::exchange(finished_, true)) return;
    service_.listeners_.erase(this);
    call_.Finish(status);
  }

  Call& call_;
  OrcaService& service_;
  absl::Duration interval_ = kUsualInterval;
  absl::Time sent_;
  bool writing_ = false, finished_ = false, gone_ = false;
};

void OrcaService::AddMethods(MethodTable* methods) {
  methods->Add("xds.service.orca.v3.OpenRcaService", "StreamCoreMetrics",
               [this](Call& call) { return std::make_unique<Listener>(call, *this); });
}

void OrcaService::Tick(absl::Time now) {
  const MutexLock lock(&mu_);
  for (Listener* listener : std::set<Listener*>(listeners_)) listener->Tick(now);
}

}  // namespace ddsp::server
