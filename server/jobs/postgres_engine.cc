#include "server/jobs/postgres_engine.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/postgres_errors.h"
#include "server/jobs/postgres_listener.h"
#include "server/jobs/postgres_pool.h"

namespace ddsp::server {
namespace {

std::string TextOf(const SqlValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return std::get<std::string>(value);
}

class PostgresTransaction : public SqlTransaction {
 public:
  PostgresTransaction(PostgresConnection& connection, pqxx::work& work) : connection_(connection), work_(work) {}

  absl::StatusOr<std::vector<SqlRow>> Run(const std::string& sql, const std::vector<SqlValue>& values) override {
    std::vector<std::string> texts;
    for (const SqlValue& value : values) texts.push_back(TextOf(value));
    std::vector<SqlRow> rows;
    for (const pqxx::row& row :
         work_.exec_prepared(connection_.Prepared(sql), pqxx::prepare::make_dynamic_params(texts))) {
      SqlRow& copy = rows.emplace_back();
      for (const pqxx::field& field : row) copy.emplace_back(field.is_null() ? "" : field.c_str());
    }
    return rows;
  }

  absl::Status Announce(const std::string& job_id) override {
    return Run("SELECT pg_notify($1, $2)", {kPostgresChannel, job_id}).status();
  }

 private:
  PostgresConnection& connection_;
  pqxx::work& work_;
};

class PostgresEngine : public SqlEngine {
 public:
  explicit PostgresEngine(const PostgresOptions& options)
      : pool_(options.connection, options.max_connections), listener_(options.connection, options.listen_poll, &hub_) {}

  absl::Status Transact(const Body& body) override {
    PostgresPool::Loan loan = pool_.Borrow();
    Attempt attempt = Try(body, loan);
    // The connection was idle while the database went away and came back.
    if (attempt.outcome == Outcome::kLost) {
      pool_.CloseIdle();
      attempt = Try(body, loan);
    }
    return attempt.status;
  }
  const SqlDialect& dialect() const override { return dialect_; }
  ChangeHub& changes() override { return hub_; }

 private:
  // kLost: nothing was committed, for the connection broke before.
  enum class Outcome { kDone, kLost };
  struct Attempt {
    absl::Status status;
    Outcome outcome = Outcome::kDone;
  };

  // libpqxx throws; its exceptions end here.
  static Attempt Try(const Body& body, PostgresPool::Loan& loan) {
    try {
      PostgresConnection& connection = loan.Connected();
      pqxx::work work(connection.connection());
      PostgresTransaction transaction(connection, work);
      if (absl::Status status = body(transaction); !status.ok()) return {std::move(status)};
      work.commit();
      return {absl::OkStatus()};
    } catch (const pqxx::broken_connection&) {
      const absl::Status error = CurrentPostgresError("job database");
      loan.GiveUp();
      return {error, Outcome::kLost};
    } catch (const std::exception&) {
      absl::Status error = CurrentPostgresError("job database");
      // libpqxx has no exception of its own for a database that goes away in the middle of an answer.
      if (loan.lost() && ReasonOf(error).empty()) {
        error = MakeError(Reason::kJobStoreUnavailable, std::string(error.message()));
      }
      loan.GiveUp();
      return {error};
    }
  }

  const SqlDialect dialect_ = {.lock_row = " FOR UPDATE OF jobs",
                               .lock_free_rows = " FOR UPDATE OF jobs SKIP LOCKED",
                               .announce_row = absl::StrCat(" RETURNING pg_notify('", kPostgresChannel, "', id)"),
                               .lock_migrations = "SELECT pg_advisory_xact_lock(7233110)"};
  ChangeHub hub_;
  PostgresPool pool_;
  PostgresListener listener_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqlEngine>> OpenPostgres(const PostgresOptions& options) {
  if (options.max_connections < 1) {
    return absl::InvalidArgumentError(absl::StrCat("max_connections ", options.max_connections, " is below 1"));
  }
  if (options.listen_poll <= absl::ZeroDuration() || options.listen_poll > absl::Seconds(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen_poll ", absl::FormatDuration(options.listen_poll), " is not in (0, 1s]"));
  }
  auto engine = std::make_unique<PostgresEngine>(options);
  RETURN_IF_ERROR(
      engine->Transact([](SqlTransaction& transaction) { return transaction.Run("SELECT 1", {}).status(); }));
  return engine;
}

}  // namespace ddsp::server
