#pragma once

#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "core/base/mutex.h"

namespace ddsp::server {

// A connection and the statements that it has prepared: planning one takes longer than running it.
class PostgresConnection {
 public:
  // All throw as libpqxx does.
  explicit PostgresConnection(const std::string& connection);
  pqxx::connection& connection() { return connection_; }
  // The name of a statement.
  const std::string& Prepared(const std::string& sql);

 private:
  pqxx::connection connection_;
  std::map<std::string, std::string> names_;
};

// Connections that take turns; at most so many at once, made when they are needed.
class PostgresPool {
 public:
  PostgresPool(std::string connection, int max_connections)
      : connection_(std::move(connection)), free_(max_connections) {}

  // A connection on loan. Goes back when it is destroyed, unless it was given up.
  class Loan {
   public:
    Loan(PostgresPool* pool, std::unique_ptr<PostgresConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Loan() { pool_->Return(std::move(connection_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    // Connects where there is no connection yet; throws as libpqxx does.
    PostgresConnection& Connected();
    // The database has closed it.
    bool lost() const { return connection_ != nullptr && !connection_->connection().is_open(); }
    // It is broken: the next one is made anew.
    void GiveUp() { connection_.reset(); }

   private:
    PostgresPool* const pool_;
    std::unique_ptr<PostgresConnection> connection_;
  };

  // Waits until fewer than so many are on loan.
  Loan Borrow();
  // Closes those that nobody has: after one was broken, the others may be.
  void CloseIdle();

 private:
  void Return(std::unique_ptr<PostgresConnection> connection);

  const std::string connection_;
  Mutex mu_;
  CondVar returned_;
  int free_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<PostgresConnection>> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
