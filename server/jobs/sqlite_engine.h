#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

struct SqliteOptions {
  std::string path;  // one file, made where there is none; SQLite keeps its log beside it
  // Of the file; what would make it larger fails with JOB_STORE_FULL. Zero: as large as the disk allows.
  int64_t max_bytes = 0;
  // How long to wait for another process that is writing.
  absl::Duration busy_timeout = absl::Seconds(5);
};

// SQLite with a write-ahead log; a transaction is on disk (fsync) before it is reported.
// Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION for a file that is no database; the path is named.
absl::StatusOr<std::unique_ptr<SqlEngine>> OpenSqlite(const SqliteOptions& options);

}  // namespace ddsp::server
