#pragma once

#include <cstdint>
#include <string>

#include "server/jobs/job_store.h"
#include "server/jobs/job_transition.h"

namespace ddsp::server {

// What an operator decides about jobs.
struct JobDeskOptions {
  // Everything that jobs leave on this machine: uploads, results, published voices, and jobs themselves unless a
  // database keeps them. Empty: no jobs.
  std::string data_dir;
  // "postgresql://user@host/name"; empty: SQLite in a file of the data dir.
  std::string database;
  // Bytes of all uploads and results together.
  int64_t blob_quota_bytes = int64_t{64} << 30;
  JobPolicy policy;
  // Jobs that wait for a worker; one more is refused.
  int64_t max_queued_jobs = 100'000;
  // Finished jobs that are kept. Published voices stay whatever happens to their jobs.
  JobRetention retention;
  // Voices that this server was given: their names are not for jobs.
  std::string bundled_repository;

  // Published voices: <models_folder>/<model>/<version>/.
  std::string models_folder() const { return data_dir + "/models"; }
};

}  // namespace ddsp::server
