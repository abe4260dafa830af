#include "server/rpc/health_service.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListRequest;
using grpc::health::v1::HealthListResponse;

namespace {

constexpr char kService[] = "grpc.health.v1.Health";

}  // namespace

// Sends the status of one name whenever it is another. What evolves is guarded by the service's mutex, under which it
// also calls its call: neither Set() nor the I/O thread may find the call gone.
class HealthService::Watcher : public CallHandler {
 public:
  Watcher(Call& call, HealthService& service) : call_(call), service_(service) { call_.Read(); }
  ~Watcher() override {
    MutexLock lock(&service_.mu_);
    service_.watchers_.erase(this);
  }

  void OnRead(grpc::ByteBuffer* message) override {
    HealthCheckRequest request;
    MutexLock lock(&service_.mu_);
    if (message == nullptr || !Parse(message, &request)) {
      error_ = MakeError(Reason::kMessageMalformed, "the call brought no grpc.health.v1.HealthCheckRequest");
    } else {
      name_ = request.service();
      service_.watchers_.insert(this);
    }
    Proceed();
  }
  void OnWritten(bool ok) override {
    MutexLock lock(&service_.mu_);
    writing_ = false;
    if (!ok) error_ = absl::CancelledError("the watcher is gone");
    Proceed();
  }
  void OnCancel() override {
    MutexLock lock(&service_.mu_);
    error_ = absl::CancelledError("the watcher is gone");
    Proceed();
  }

  // The service's mutex is held.
  void Proceed() {
    if (writing_ || finished_) return;
    if (!error_.ok()) {
      finished_ = true;
      service_.watchers_.erase(this);
      call_.Finish(error_);
      return;
    }
    if (!name_.has_value()) return;
    const Status status = service_.StatusOf(*name_);
    if (sent_ == status) return;
    sent_ = status;
    writing_ = true;
    HealthCheckResponse response;
    response.set_status(status);
    call_.Write(response);
  }

 private:
  Call& call_;
  HealthService& service_;
  std::optional<std::string> name_;
  std::optional<Status> sent_;
  absl::Status error_;
  bool writing_ = false, finished_ = false;
};

HealthService::HealthService() : statuses_{{"", HealthCheckResponse::SERVING}} {}

void HealthService::AddMethods(MethodTable* methods) {
  methods->Add(kService, "Check", [this](Call& call) {
    return MakeUnaryCall<HealthCheckRequest, HealthCheckResponse>(
        call, nullptr, [this](const auto& request, auto* response) { return Check(request, response); });
  });
  methods->Add(kService, "List", [this](Call& call) {
    return MakeUnaryCall<HealthListRequest, HealthListResponse>(
        call, nullptr, [this](const auto&, auto* response) { return List(response); });
  });
  methods->Add(kService, "Watch", [this](Call& call) { return std::make_unique<Watcher>(call, *this); });
}

void HealthService::Set(const std::string& name, Health health) {
  MutexLock lock(&mu_);
  statuses_[name] = health == Health::kServing ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  for (Watcher* watcher : std::set<Watcher*>(watchers_)) watcher->Proceed();
}

void HealthService::SetUnhealthy() {
  MutexLock lock(&mu_);
  unhealthy_ = true;
  for (Watcher* watcher : std::set<Watcher*>(watchers_)) watcher->Proceed();
}

bool HealthService::healthy() const {
  MutexLock lock(&mu_);
  return !unhealthy_;
}

HealthService::Status HealthService::StatusOf(const std::string& name) const {
  const auto found = statuses_.find(name);
  if (found == statuses_.end()) return HealthCheckResponse::SERVICE_UNKNOWN;
  return unhealthy_ ? HealthCheckResponse::NOT_SERVING : found->second;
}

absl::Status HealthService::Check(const HealthCheckRequest& request, HealthCheckResponse* response) const {
  MutexLock lock(&mu_);
  const Status status = StatusOf(request.service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    return MakeError(Reason::kServiceNotFound, absl::StrCat("no service or model is named ", request.service()),
                     {{"service", request.service()}});
  }
  response->set_status(status);
  return absl::OkStatus();
}

absl::Status HealthService::List(HealthListResponse* response) const {
  MutexLock lock(&mu_);
  for (const auto& [name, unused] : statuses_) (*response->mutable_statuses())[name].set_status(StatusOf(name));
  return absl::OkStatus();
}

}  // namespace ddsp::server
