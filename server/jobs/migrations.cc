#include "server/jobs/migrations.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/jobs/job_blobs.h"

namespace ddsp::server {
namespace {

// Finds the blobs that the jobs of earlier versions need.
absl::Status NameBlobs(SqlTransaction& transaction) {
  std::string last;
  for (;;) {
    ASSIGN_OR_RETURN(const auto rows, transaction.Run(R"(SELECT id, state, spec, result, examples, checkpoint_blob
                                        FROM jobs CROSS JOIN job_texts WHERE job_id = id AND id > $1
                                        ORDER BY id LIMIT 50)",
                                                      {last}));
    if (rows.empty()) return absl::OkStatus();
    for (const SqlRow& row : rows) {
      Job job{.id = row[0], .spec = row[2]};
      int64_t state = 0;
      if (!absl::SimpleAtoi(row[1], &state)) return absl::InternalError("job " + job.id + " is in no state");
      job.state = static_cast<JobState>(state);
      job.result = row[3];
      job.progress.examples = row[4];
      job.checkpoint.blob = row[5];
      RETURN_IF_ERROR(InsertBlobs(transaction, job));
    }
    last = rows.back()[0];
  }
}

// Times are microseconds since 1970, 0 where there is none; nothing is NULL. Types by which SQLite and PostgreSQL mean
// the same. The state is a number, as the enum has it.
const std::vector<Migration>& Steps() {
  static const auto* const steps = new std::vector<Migration>{
      {{R"(CREATE TABLE jobs (
             id TEXT PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, display_name TEXT NOT NULL,
             spec TEXT NOT NULL, priority BIGINT NOT NULL, state BIGINT NOT NULL, revision BIGINT NOT NULL,
             create_us BIGINT NOT NULL, update_us BIGINT NOT NULL, run_us BIGINT NOT NULL, start_us BIGINT NOT NULL,
             end_us BIGINT NOT NULL, attempts BIGINT NOT NULL, failures BIGINT NOT NULL, worker TEXT NOT NULL,
             lease_id TEXT NOT NULL, lease_expire_us BIGINT NOT NULL, cancel_requested BIGINT NOT NULL,
             progress_done BIGINT NOT NULL, progress_total BIGINT NOT NULL, metrics TEXT NOT NULL,
             checkpoint_step BIGINT NOT NULL, checkpoint_blob TEXT NOT NULL, result TEXT NOT NULL,
             error TEXT NOT NULL))",
        // What is claimed and what is expired is found without reading the jobs that are over.
        "CREATE INDEX jobs_waiting ON jobs (priority, run_us, id) WHERE state IN (0, 2)",
        "CREATE INDEX jobs_running ON jobs (lease_expire_us) WHERE state = 1",
        "CREATE INDEX jobs_newest ON jobs (create_us, id)"}},
      {{R"(CREATE TABLE job_logs (
             job_id TEXT NOT NULL, number BIGINT NOT NULL, time_us BIGINT NOT NULL, line TEXT NOT NULL,
             PRIMARY KEY (job_id, number)))"}},
      {{"ALTER TABLE jobs ADD COLUMN examples TEXT NOT NULL DEFAULT ''"}},
      // A heartbeat writes a row of `jobs`: what is long and never changes goes to another table, and no index has a
      // column that a heartbeat changes.
      {{"CREATE TABLE job_texts (job_id TEXT PRIMARY KEY, spec TEXT NOT NULL, result TEXT NOT NULL)",
        "INSERT INTO job_texts (job_id, spec, result) SELECT id, spec, result FROM jobs",
        R"(CREATE TABLE job_blobs (
             job_id TEXT NOT NULL, role BIGINT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (job_id, role, blob)))",
        "CREATE INDEX job_blobs_by_blob ON job_blobs (blob)", "DROP INDEX jobs_waiting", "DROP INDEX jobs_running",
        "CREATE INDEX jobs_waiting ON jobs (kind, priority, run_us, id) WHERE state IN (0, 2)",
        "CREATE INDEX jobs_running ON jobs (id) WHERE state = 1",
        "CREATE INDEX jobs_finished ON jobs (end_us, id) WHERE state IN (3, 4, 5)", "ALTER TABLE jobs DROP COLUMN spec",
        "ALTER TABLE jobs DROP COLUMN result"},
       &NameBlobs},
      // Row 1, once a server has said where its bytes are.
      {{"CREATE TABLE job_home (number BIGINT PRIMARY KEY, id TEXT NOT NULL, place TEXT NOT NULL)"}},
      // Of jobs whose client was asked who it is.
      {{"CREATE TABLE job_tenants (job_id TEXT PRIMARY KEY, tenant TEXT NOT NULL)"}},
  };
  return *steps;
}

absl::StatusOr<int64_t> VersionOf(SqlTransaction& transaction) {
  ASSIGN_OR_RETURN(const auto rows, transaction.Run("SELECT max(version) FROM job_schema", {}));
  int64_t version = 0;
  if (!rows.empty() && !rows[0][0].empty() && !absl::SimpleAtoi(rows[0][0], &version)) {
    return absl::InternalError(absl::StrCat("the schema's version is '", rows[0][0], "'"));
  }
  return version;
}

absl::Status TakeSteps(SqlTransaction& transaction, absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const int64_t version, VersionOf(transaction));
  const int64_t newest = static_cast<int64_t>(migrations.size());
  if (version > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat("the job store has schema version ", version, ", newer than this program's ", newest));
  }
  for (int64_t step = version; step < newest; ++step) {
    for (const std::string& statement : migrations[step].statements) {
      RETURN_IF_ERROR(transaction.Run(statement, {}).status());
    }
    if (migrations[step].then != nullptr) RETURN_IF_ERROR(migrations[step].then(transaction));
    RETURN_IF_ERROR(transaction.Run("INSERT INTO job_schema (version) VALUES ($1)", {step + 1}).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const Migration> JobStoreMigrations() { return Steps(); }

absl::Status Migrate(SqlEngine& engine, absl::Span<const Migration> migrations) {
  return engine.Transact([&](SqlTransaction& transaction) -> absl::Status {
    if (const std::string& lock = engine.dialect().lock_migrations; !lock.empty()) {
      RETURN_IF_ERROR(transaction.Run(lock, {}).status());
    }
    RETURN_IF_ERROR(transaction.Run("CREATE TABLE IF NOT EXISTS job_schema (version BIGINT PRIMARY KEY)", {}).status());
    return TakeSteps(transaction, migrations);
  });
}

}  // namespace ddsp::server
