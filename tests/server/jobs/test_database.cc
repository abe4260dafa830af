#include "tests/server/jobs/test_database.h"

#include <stdlib.h>

#include <filesystem>

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/jobs/postgres_engine.h"
#include "server/jobs/sqlite_engine.h"

namespace ddsp::server {

std::string_view NameOf(EngineKind kind) { return kind == EngineKind::kSqlite ? "sqlite" : "postgres"; }

PostgresServer* SharedPostgres(PostgresServer::Flush flush) {
  if (PostgresServer::FindPrograms().empty()) return nullptr;
  static const std::unique_ptr<PostgresServer> server = [flush] {
    auto started = PostgresServer::Start(flush);
    DDSP_CHECK(started.ok(), std::string(started.status().message()).c_str());
    return *std::move(started);
  }();
  return server.get();
}

absl::StatusOr<std::unique_ptr<SqlEngine>> OpenEngine(EngineKind kind, const std::string& place) {
  if (kind == EngineKind::kSqlite) return OpenSqlite({.path = place});
  return OpenPostgres({.connection = place, .listen_poll = absl::Milliseconds(20)});
}

absl::StatusOr<std::unique_ptr<JobStore>> OpenStore(EngineKind kind, const std::string& place, const Clock& clock,
                                                    const JobStoreOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqlEngine> engine, OpenEngine(kind, place));
  return MakeSqlJobStore(std::move(engine), clock, options);
}

TestDatabase::TestDatabase(EngineKind kind) {
  if (kind == EngineKind::kPostgres) {
    place_ = SharedPostgres()->NewDatabase();
    return;
  }
  folder_ = std::filesystem::temp_directory_path() / "ddsp_jobs_XXXXXX";
  DDSP_CHECK(mkdtemp(folder_.data()) != nullptr, "there is a temporary folder");
  place_ = folder_ + "/jobs.sqlite";
}

TestDatabase::~TestDatabase() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace ddsp::server
