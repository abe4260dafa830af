#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

struct PostgresOptions {
  // As libpq takes it: "host=db user=ddsp dbname=ddsp" or "postgresql://ddsp@db/ddsp".
  std::string connection;
  // Transactions at the same time; one more waits for a connection. One connection more listens.
  int max_connections = 4;
  // How often the listening thread looks whether it is to end, and tries again where its connection was lost.
  absl::Duration listen_poll = absl::Milliseconds(200);
};

// PostgreSQL, at READ COMMITTED; several servers can share one database and hear of each other's changes. Connections
// that are lost (a restart of the database) are made anew; what was under way is tried once more.
// Errors: JOB_STORE_UNAVAILABLE, INVALID_ARGUMENT for options.
absl::StatusOr<std::unique_ptr<SqlEngine>> OpenPostgres(const PostgresOptions& options);

}  // namespace ddsp::server
