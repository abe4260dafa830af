#include "server/jobs/postgres_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp::server {

PostgresConnection::PostgresConnection(const std::string& connection) : connection_(connection) {
  // Every statement has its index. While statistics are young the planner would rather sort ten thousand waiting jobs
  // for each claim: 80 ms instead of one. Plans do not depend on values then, and one is made of each statement.
  for (const char* other :
       {"enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_hashjoin", "enable_mergejoin"}) {
    connection_.set_variable(other, "off");
  }
  connection_.set_variable("plan_cache_mode", "force_generic_plan");
}

const std::string& PostgresConnection::Prepared(const std::string& sql) {
  const auto [name, is_new] = names_.try_emplace(sql, absl::StrCat("s", names_.size()));
  if (is_new) connection_.prepare(name->second, sql);
  return name->second;
}

PostgresConnection& PostgresPool::Loan::Connected() {
  if (connection_ == nullptr) connection_ = std::make_unique<PostgresConnection>(pool_->connection_);
  return *connection_;
}

PostgresPool::Loan PostgresPool::Borrow() {
  const MutexLock lock(&mu_);
  while (free_ == 0) returned_.Wait(&mu_);
  --free_;
  std::unique_ptr<PostgresConnection> connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  return Loan(this, std::move(connection));
}

void PostgresPool::CloseIdle() {
  std::vector<std::unique_ptr<PostgresConnection>> closed;
  const MutexLock lock(&mu_);
  closed.swap(idle_);
}

void PostgresPool::Return(std::unique_ptr<PostgresConnection> connection) {
  const MutexLock lock(&mu_);
  ++free_;
  if (connection != nullptr) idle_.push_back(std::move(connection));
  returned_.NotifyOne();
}

}  // namespace ddsp::server
