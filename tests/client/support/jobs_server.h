// ddsp.v1.Jobs as the server has it, on SQLite and blobs in a folder, that can stop and start like a server.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "server/blobs/blob_store.h"
#include "server/jobs/anchored_clock.h"
#include "server/jobs/job_store.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/io_thread.h"
#include "server/rpc/work_queue.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {

class JobsServer {
 public:
  // `quota`: of the blobs, in bytes.
  explicit JobsServer(int64_t quota = int64_t{1} << 30);
  ~JobsServer();

  // Ends every call. What was acknowledged stays in the folder.
  void Stop();
  // At the same address.
  void Start();

  const std::string& address() const { return address_; }
  server::BlobStore& blobs() { return *blobs_; }
  server::JobStore& jobs() { return *jobs_; }

 private:
  const int64_t quota_;
  TempDir folder_;
  server::AnchoredClock clock_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<server::JobStore> jobs_;
  std::unique_ptr<server::BlobStore> blobs_;
  std::optional<server::WorkQueue> work_, following_, publishing_;
  std::unique_ptr<server::Endpoint> endpoint_;
  std::optional<server::IoThread> io_;
  Mutex mu_;
  CondVar stopping_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::thread ticker_;  // what ends waits at their timeout
};

}  // namespace ddsp::testing
