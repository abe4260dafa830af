#include "server/jobs/sqlite_engine.h"

#include <sqlite3.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

std::string MessageOf(sqlite3* db, const std::string& path) {
  return absl::StrCat("database ", path, ": ", db != nullptr ? sqlite3_errmsg(db) : "no memory");
}

// What a statement of ours makes of a file that was in order when it was opened: whoever waits may see it mended.
absl::Status ToStatus(int code, sqlite3* db, const std::string& path) {
  const std::string message = MessageOf(db, path);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_NOMEM:
      return MakeError(Reason::kJobStoreUnavailable, message, {{"path", path}});
    case SQLITE_FULL:
      return MakeError(Reason::kJobStoreFull, message, {{"path", path}});
    default:
      return absl::InternalError(message);
  }
}

// Of a file that was never in order, for the operator.
absl::Status OpeningError(int code, sqlite3* db, const std::string& path) {
  switch (code & 0xff) {
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(MessageOf(db, path));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(MessageOf(db, path));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return absl::FailedPreconditionError(MessageOf(db, path));
    default:
      return ToStatus(code, db, path);
  }
}

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// A connection with the statements that it has prepared.
class Connection {
 public:
  Connection(Database db, std::string path) : path_(std::move(path)), db_(std::move(db)) {}

  absl::StatusOr<std::vector<SqlRow>> Run(const std::string& sql, const std::vector<SqlValue>& values) {
    ASSIGN_OR_RETURN(sqlite3_stmt* const statement, Prepared(sql));
    Bind(statement, values);
    std::vector<SqlRow> rows;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(RowOf(statement));
    const absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : ToStatus(code, db_.get(), path_);
    sqlite3_reset(statement);
    if (!status.ok()) return status;
    return rows;
  }

  // By itself, in the middle of a transaction: the disk is full, or failed.
  bool HasRolledBack() const { return sqlite3_get_autocommit(db_.get()) != 0; }

 private:
  absl::StatusOr<sqlite3_stmt*> Prepared(const std::string& sql) {
    Statement& statement = statements_[sql];
    if (statement == nullptr) {
      sqlite3_stmt* made = nullptr;
      const int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &made, nullptr);
      if (code != SQLITE_OK) return ToStatus(code, db_.get(), path_);
      statement.reset(made);
    }
    return statement.get();
  }

  // SQLite takes "$1" for a name.
  static void Bind(sqlite3_stmt* statement, const std::vector<SqlValue>& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const int at = sqlite3_bind_parameter_index(statement, absl::StrCat("$", i + 1).c_str());
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        sqlite3_bind_int64(statement, at, *number);
      } else {
        const std::string& text = std::get<std::string>(values[i]);
        sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      }
    }
  }

  static SqlRow RowOf(sqlite3_stmt* statement) {
    SqlRow row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const unsigned char* const text = sqlite3_column_text(statement, i);
      const int bytes = sqlite3_column_bytes(statement, i);
      row.emplace_back(text != nullptr ? reinterpret_cast<const char*>(text) : "", bytes);
    }
    return row;
  }

  const std::string path_;
  const Database db_;
  std::map<std::string, Statement> statements_;  // after db_: finalized before it is closed
};

class SqliteTransaction : public SqlTransaction {
 public:
  SqliteTransaction(Connection& connection, std::vector<std::string>& changed)
      : connection_(connection), changed_(changed) {}
  absl::StatusOr<std::vector<SqlRow>> Run(const std::string& sql, const std::vector<SqlValue>& values) override {
    return connection_.Run(sql, values);
  }
  absl::Status Announce(const std::string& job_id) override {
    changed_.push_back(job_id);
    return absl::OkStatus();
  }

 private:
  Connection& connection_;
  std::vector<std::string>& changed_;
};

// Transactions of many threads share one connection. Those that come while another is being flushed to the disk go
// together: whoever comes first runs the others' too, each between savepoints, and flushes once for all.
class SqliteEngine : public SqlEngine {
 public:
  SqliteEngine(Database db, std::string path) : connection_(std::move(db), std::move(path)) {}

  absl::Status Transact(const Body& body) override {
    Waiting own{body};
    mu_.Lock();
    waiting_.push_back(&own);
    while (leading_ && !own.is_done) turn_.Wait(&mu_);
    if (!own.is_done) {
      leading_ = true;
      const std::vector<Waiting*> group = std::exchange(waiting_, {});
      mu_.Unlock();
      RunTogether(group);
      mu_.Lock();
      for (Waiting* const one : group) one->is_done = true;
      leading_ = false;
      turn_.NotifyAll();
    }
    mu_.Unlock();
    if (!own.status.ok()) return own.status;
    for (const std::string& id : own.changed) hub_.Publish(id);
    return absl::OkStatus();
  }
  const SqlDialect& dialect() const override { return dialect_; }
  ChangeHub& changes() override { return hub_; }

 private:
  struct Waiting {
    const Body& body;
    absl::Status status;
    std::vector<std::string> changed;
    bool is_done = false;
  };

  // By whoever leads.
  void RunTogether(const std::vector<Waiting*>& group) {
    // A transaction that began by reading could not always go on to write.
    absl::Status status = connection_.Run("BEGIN IMMEDIATE", {}).status();
    for (Waiting* const one : group) {
      if (status.ok()) status = RunOne(*one);
    }
    if (status.ok()) status = connection_.Run("COMMIT", {}).status();
    if (status.ok()) return;
    // SQLite itself may have rolled back (a full disk); then there is nothing left to do.
    (void)connection_.Run("ROLLBACK", {});
    for (Waiting* const one : group) one->status = status;
  }

  // An error of the body is its own; what is returned ends the group.
  absl::Status RunOne(Waiting& one) {
    RETURN_IF_ERROR(connection_.Run("SAVEPOINT one", {}).status());
    SqliteTransaction transaction(connection_, one.changed);
    one.status = one.body(transaction);
    if (connection_.HasRolledBack()) return one.status.ok() ? absl::AbortedError("rolled back") : one.status;
    if (!one.status.ok()) RETURN_IF_ERROR(connection_.Run("ROLLBACK TO one", {}).status());
    return connection_.Run("RELEASE one", {}).status();
  }

  const SqlDialect dialect_;
  ChangeHub hub_;
  Connection connection_;  // of whoever leads

  Mutex mu_;
  CondVar turn_;
  bool leading_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Waiting*> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqlEngine>> OpenSqlite(const SqliteOptions& options) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(options.path.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(opened);
  if (code != SQLITE_OK) return OpeningError(code, db.get(), options.path);
  sqlite3_busy_timeout(db.get(), static_cast<int>(absl::ToInt64Milliseconds(options.busy_timeout)));
  std::vector<std::string> settings = {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                                       "PRAGMA foreign_keys = ON"};
  // Pages have 4096 bytes where nobody says otherwise.
  if (options.max_bytes > 0) settings.push_back(absl::StrCat("PRAGMA max_page_count = ", options.max_bytes / 4096 + 1));
  for (const std::string& setting : settings) {
    const int set = sqlite3_exec(db.get(), setting.c_str(), nullptr, nullptr, nullptr);
    if (set != SQLITE_OK) return OpeningError(set, db.get(), options.path);
  }
  return std::make_unique<SqliteEngine>(std::move(db), options.path);
}

}  // namespace ddsp::server
