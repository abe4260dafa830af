#include "tests/client/support/jobs_server.h"

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"
#include "server/rpc/jobs_service.h"

namespace ddsp::testing {

using server::WorkQueue;

JobsServer::JobsServer(int64_t quota) : quota_(quota) { Start(); }

JobsServer::~JobsServer() {
  if (endpoint_ != nullptr) Stop();
}

void JobsServer::Start() {
  auto engine = server::OpenSqlite({.path = folder_.path() + "/jobs.sqlite"});
  DDSP_CHECK(engine.ok(), "a database opens in a temporary folder");
  jobs_ = *server::MakeSqlJobStore(*std::move(engine), clock_, {});
  blobs_ = *server::BlobStore::Open({.folder = folder_.path() + "/blobs", .quota = quota_}, clock_);
  work_.emplace(WorkQueue::Options{.threads = 2, .max_waiting = 64});
  following_.emplace(WorkQueue::Options{.threads = 1, .max_waiting = 64});
  publishing_.emplace(WorkQueue::Options{.threads = 1, .max_waiting = 64});
  auto methods = std::make_unique<server::MethodTable>();
  server::AddJobsMethods({*jobs_, *blobs_, {}, *work_, *following_, *publishing_, clock_}, methods.get());
  auto endpoint = server::Endpoint::Open({.address = address_}, std::move(methods));
  DDSP_CHECK(endpoint.ok(), "the port is free, or ours from before");
  endpoint_ = *std::move(endpoint);
  address_ = absl::StrCat("127.0.0.1:", endpoint_->port());
  io_.emplace(std::vector<grpc::CompletionQueue*>{endpoint_->queue()}, [this] { return endpoint_->live_calls(); });
  ticker_ = std::thread([this] {
    const MutexLock lock(&mu_);
    while (!stop_) {
      jobs_->changes().Publish("");
      stopping_.WaitFor(&mu_, std::chrono::milliseconds(50));
    }
  });
}

void JobsServer::Stop() {
  {
    const MutexLock lock(&mu_);
    stop_ = true;
    stopping_.NotifyAll();
  }
  ticker_.join();
  endpoint_->Stop();
  io_.reset();
  endpoint_.reset();
  publishing_.reset();
  following_.reset();
  work_.reset();
  blobs_.reset();
  jobs_.reset();
  const MutexLock lock(&mu_);
  stop_ = false;
}

}  // namespace ddsp::testing
