#include "server/rpc/models_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/rpc/model_message.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {
namespace {

constexpr char kService[] = "ddsp.v1.Models";
constexpr int kUsualPage = 100, kLargestPage = 1000;

// What an operator's method does; its answer is the model as it is then.
template <typename Request>
using Change = absl::StatusOr<std::string> (*)(Curator&, const Request&);

template <typename Request>
void AddChange(const std::string& name, Change<Request> change, Curator& curator, WorkQueue& work,
               MethodTable* methods) {
  methods->Add(kService, name, [change, &curator, &work](Call& call) {
    return MakeUnaryCall<Request, v1::Model>(call, &work,
                                             [change, &curator](const Request& request, v1::Model* response) {
                                               ASSIGN_OR_RETURN(const std::string model, change(curator, request));
                                               ASSIGN_OR_RETURN(const ModelStatus status, curator.Get(model));
                                               *response = ToMessage(status);
                                               return absl::OkStatus();
                                             });
  });
}

absl::StatusOr<std::string> Load(Curator& curator, const v1::LoadModelRequest& request) {
  ASSIGN_OR_RETURN(const VersionName name, VersionNameOf(request.name()));
  RETURN_IF_ERROR(curator.Load(name.model, name.version));
  return name.model;
}

absl::StatusOr<std::string> Unload(Curator& curator, const v1::UnloadModelRequest& request) {
  ASSIGN_OR_RETURN(const VersionName name, VersionNameOf(request.name()));
  RETURN_IF_ERROR(curator.Unload(name.model, name.version));
  return name.model;
}

absl::StatusOr<std::string> SetAlias(Curator& curator, const v1::SetAliasRequest& request) {
  ASSIGN_OR_RETURN(const AliasName name, AliasNameOf(request.name()));
  if (request.version() < 0) {
    return MakeFieldError(Reason::kInvalidModelRequest, absl::StrCat("version is ", request.version()),
                          {{"version", "expected a number from 1 on, or 0 for the newest"}});
  }
  RETURN_IF_ERROR(curator.SetAlias(name.model, name.alias, request.version()));
  return name.model;
}

absl::StatusOr<std::string> DeleteAlias(Curator& curator, const v1::DeleteAliasRequest& request) {
  ASSIGN_OR_RETURN(const AliasName name, AliasNameOf(request.name()));
  RETURN_IF_ERROR(curator.DeleteAlias(name.model, name.alias));
  return name.model;
}

// Refuses whatever it is asked.
class AdminOnlyCall : public CallHandler {
 public:
  explicit AdminOnlyCall(Call& call) : call_(call) { call_.Read(); }
  void OnRead(grpc::ByteBuffer*) override {
    call_.Finish(MakeError(Reason::kAdminPortOnly, "this method is served on the admin port (--admin-listen) alone"));
  }

 private:
  Call& call_;
};

}  // namespace

absl::Status ListModels(const std::vector<ModelStatus>& models, const v1::ListModelsRequest& request,
                        v1::ListModelsResponse* response) {
  if (request.page_size() < 0) {
    return MakeFieldError(Reason::kInvalidModelRequest, absl::StrCat("page_size is ", request.page_size()),
                          {{"page_size", "expected 0 or more"}});
  }
  // The name of the last model of the page before.
  if (!request.page_token().empty() && !IsModelName(request.page_token())) {
    return MakeFieldError(Reason::kInvalidModelRequest, "page_token comes from no list of models",
                          {{"page_token", "expected the next_page_token of a response"}});
  }
  const int page = std::min(request.page_size() > 0 ? request.page_size() : kUsualPage, kLargestPage);
  for (const ModelStatus& model : models) {
    if (model.name <= request.page_token()) continue;
    if (response->models_size() == page) {
      response->set_next_page_token(response->models(page - 1).name().substr(sizeof("models/") - 1));
      break;
    }
    *response->add_models() = ToMessage(model);
  }
  return absl::OkStatus();
}

// Sends each model whenever it has changed. What evolves is guarded by the service's mutex, under which it also calls
// its call: neither Changed() nor the I/O thread may find the call gone.
class ModelsService::Watcher : public CallHandler {
 public:
  Watcher(Call& call, ModelsService& service) : call_(call), service_(service) { call_.Read(); }
  ~Watcher() override {
    const MutexLock lock(&service_.mu_);
    service_.watchers_.erase(this);
  }

  void OnRead(grpc::ByteBuffer* message) override {
    const MutexLock lock(&service_.mu_);
    error_ = Begin(message);
    if (error_.ok()) service_.watchers_.insert(this);
    Proceed();
  }
  void OnWritten(bool ok) override {
    const MutexLock lock(&service_.mu_);
    writing_ = false;
    if (!ok) error_ = absl::CancelledError("the watcher is gone");
    Proceed();
  }
  void OnCancel() override {
    const MutexLock lock(&service_.mu_);
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
    for (const ModelStatus& model : service_.curator_.ChangedSince(sent_)) {
      sent_ = model.revision;
      if (!only_.empty() && model.name != only_) continue;
      writing_ = true;
      v1::WatchModelsResponse response;
      *response.mutable_model() = ToMessage(model);
      call_.Write(response);
      return;
    }
  }

 private:
  absl::Status Begin(grpc::ByteBuffer* message) {
    v1::WatchModelsRequest request;
    if (message == nullptr || !Parse(message, &request)) {
      return MakeError(Reason::kMessageMalformed, "the call brought no ddsp.v1.WatchModelsRequest");
    }
    if (request.name().empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(only_, ModelOf(request.name()));
    return absl::OkStatus();
  }

  Call& call_;
  ModelsService& service_;
  std::string only_;  // empty: all
  int64_t sent_ = 0;  // revision
  absl::Status error_;
  bool writing_ = false, finished_ = false;
};

void ModelsService::Changed() {
  const MutexLock lock(&mu_);
  for (Watcher* watcher : std::set<Watcher*>(watchers_)) watcher->Proceed();
}

void ModelsService::AddReadingMethods(MethodTable* methods) {
  methods->Add(kService, "List", [this](Call& call) {
    return MakeUnaryCall<v1::ListModelsRequest, v1::ListModelsResponse>(
        call, nullptr,
        [this](const auto& request, auto* response) { return ListModels(curator_.Models(), request, response); });
  });
  methods->Add(kService, "Get", [this](Call& call) {
    return MakeUnaryCall<v1::GetModelRequest, v1::Model>(
        call, nullptr, [this](const v1::GetModelRequest& request, v1::Model* response) {
          ASSIGN_OR_RETURN(const std::string model, ModelOf(request.name()));
          ASSIGN_OR_RETURN(const ModelStatus status, curator_.Get(model));
          *response = ToMessage(status);
          return absl::OkStatus();
        });
  });
  methods->Add(kService, "Watch", [this](Call& call) { return std::make_unique<Watcher>(call, *this); });
}

void ModelsService::AddPublicMethods(MethodTable* methods) {
  AddReadingMethods(methods);
  for (const char* name : {"Load", "Unload", "SetAlias", "DeleteAlias"}) {
    methods->Add(kService, name, [](Call& call) { return std::make_unique<AdminOnlyCall>(call); });
  }
}

void ModelsService::AddAdminMethods(MethodTable* methods) {
  AddReadingMethods(methods);
  AddChange<v1::LoadModelRequest>("Load", &Load, curator_, work_, methods);
  AddChange<v1::UnloadModelRequest>("Unload", &Unload, curator_, work_, methods);
  AddChange<v1::SetAliasRequest>("SetAlias", &SetAlias, curator_, work_, methods);
  AddChange<v1::DeleteAliasRequest>("DeleteAlias", &DeleteAlias, curator_, work_, methods);
}

}  // namespace ddsp::server
