// A database, as the job store needs it: transactions of statements that SQLite and PostgreSQL both understand.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/jobs/change_hub.h"

namespace ddsp::server {

using SqlValue = std::variant<int64_t, std::string>;  // stands for $1, $2 ...
using SqlRow = std::vector<std::string>;              // numbers in decimal

class SqlTransaction {
 public:
  virtual ~SqlTransaction() = default;
  virtual absl::StatusOr<std::vector<SqlRow>> Run(const std::string& sql, const std::vector<SqlValue>& values) = 0;
  // Publishes that this job has changed, once the transaction is committed and not otherwise.
  virtual absl::Status Announce(const std::string& job_id) = 0;
};

// How engines differ in words.
struct SqlDialect {
  std::string lock_row;         // ends a SELECT of jobs: nobody else changes them until the transaction ends
  std::string lock_free_rows;   // the same, without the jobs that another transaction holds
  std::string announce_row;     // ends an UPDATE of jobs that announces them too; empty: Announce() does
  std::string lock_migrations;  // a statement; empty: transactions exclude each other anyway
};

class SqlEngine {
 public:
  // May be run again where the database gave up the first time.
  using Body = std::function<absl::Status(SqlTransaction&)>;

  virtual ~SqlEngine() = default;
  // Commits what `body` did when it returns OK, else leaves the database as it was. On the caller's thread.
  // Errors: those of `body`; JOB_STORE_UNAVAILABLE when the database cannot be reached or is busy (after which a
  // transaction may have been committed, or not), JOB_STORE_FULL when its disk is full.
  virtual absl::Status Transact(const Body& body) = 0;
  virtual const SqlDialect& dialect() const = 0;
  virtual ChangeHub& changes() = 0;
};

}  // namespace ddsp::server
