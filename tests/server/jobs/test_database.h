// A database for one test, in either engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/jobs/job_store.h"
#include "server/jobs/sql_engine.h"
#include "server/jobs/sql_job_store.h"
#include "tests/server/jobs/postgres_server.h"

namespace ddsp::server {

enum class EngineKind { kSqlite, kPostgres };
std::string_view NameOf(EngineKind kind);

// The server that all tests of a program share, started when, and as, the first asks. Null: the package is not
// installed.
PostgresServer* SharedPostgres(PostgresServer::Flush flush = PostgresServer::Flush::kNever);

// Where a database is: a path, or a connection string.
absl::StatusOr<std::unique_ptr<SqlEngine>> OpenEngine(EngineKind kind, const std::string& place);
absl::StatusOr<std::unique_ptr<JobStore>> OpenStore(EngineKind kind, const std::string& place, const Clock& clock,
                                                    const JobStoreOptions& options = {});

// A new, empty one; its files go when it is destroyed.
class TestDatabase {
 public:
  explicit TestDatabase(EngineKind kind);
  ~TestDatabase();
  const std::string& place() const { return place_; }

 private:
  std::string folder_;  // empty: none
  std::string place_;
};

}  // namespace ddsp::server
