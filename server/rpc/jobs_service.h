#pragma once

#include "core/base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/api/jobs_api.h"
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
  // Does Complete, which publishes voices: seconds for each. Apart from `work`, for heartbeats of the same job go on.
  WorkQueue& publishing;
  // For the timeout of Wait, at which it looks with every change and every empty id that the store's hub publishes:
  // whoever keeps the store publishes one each second.
  const Clock& clock;
  // Of the specs that clients bring; empty: every one that is well formed is taken.
  SpecCheck check_spec = {};
  // Of trained voices; null: none are.
  ResultPublisher* publisher = nullptr;
};

void AddJobsMethods(const JobsService& service, MethodTable* methods);

}  // namespace ddsp::server
