#pragma once

#include "core/base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job_store.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// What ddsp.v1.Jobs works with; all of it outlives the calls.
struct JobsService {
  JobStore& jobs;
  BlobStore& blobs;
  JobPolicy policy;  // the store's
  // Does calls that answer once: databases and disks are waited for.
  WorkQueue& work;
  // Reads jobs for calls that wait or watch; room for as many as there can be of them.
  WorkQueue& following;
  // For the timeout of Wait, at which it looks with every change and every empty id that the store's hub publishes:
  // whoever keeps the store publishes one each second.
  const Clock& clock;
};

void AddJobsMethods(const JobsService& service, MethodTable* methods);

}  // namespace ddsp::server
