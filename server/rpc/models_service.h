// ddsp.v1.Models: what voices there are, for all; their coming and going, for operators. Thread-safe.
#pragma once

#include <set>

#include "core/base/mutex.h"
#include "ddsp/v1/models.pb.h"
#include "server/registry/curator.h"
#include "server/rpc/call.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

class ModelsService {
 public:
  // `work` does what waits for loading and for disks. Both outlive the service, and the service the calls of the
  // methods that it adds.
  ModelsService(Curator& curator, WorkQueue& work) : curator_(curator), work_(work) {}

  // List, Get and Watch; the others are refused with ADMIN_PORT_ONLY.
  void AddPublicMethods(MethodTable* methods);
  void AddAdminMethods(MethodTable* methods);

  // Some model has changed: watchers are told.
  void Changed();

 private:
  class Watcher;
  void AddReadingMethods(MethodTable* methods);

  Curator& curator_;
  WorkQueue& work_;
  Mutex mu_;
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mu_);
};

// Fills a response; exposed for tests.
absl::Status ListModels(const std::vector<ModelStatus>& models, const v1::ListModelsRequest& request,
                        v1::ListModelsResponse* response);

}  // namespace ddsp::server
