#include "server/jobs/job_log.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "core/base/status_macros.h"
#include "server/jobs/job_row.h"

namespace ddsp::server {
namespace {

// Of a column whose type the database guards.
int64_t ToNumber(const std::string& text) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

absl::Status AppendLog(SqlTransaction& transaction, const std::string& job_id, const std::vector<std::string>& lines,
                       absl::Time now, int64_t max_lines) {
  ASSIGN_OR_RETURN(const auto last,
                   transaction.Run("SELECT coalesce(max(number), 0) FROM job_logs WHERE job_id = $1", {job_id}));
  int64_t number = last.empty() ? 0 : ToNumber(last[0][0]);
  for (const std::string& line : lines) {
    RETURN_IF_ERROR(transaction
                        .Run("INSERT INTO job_logs (job_id, number, time_us, line) VALUES ($1, $2, $3, $4)",
                             {job_id, ++number, ToMicros(now), line})
                        .status());
  }
  return transaction.Run("DELETE FROM job_logs WHERE job_id = $1 AND number <= $2", {job_id, number - max_lines})
      .status();
}

absl::StatusOr<std::vector<JobLogLine>> ReadLog(SqlTransaction& transaction, const std::string& job_id, int64_t after,
                                                int64_t max_lines) {
  ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Run(
          "SELECT number, time_us, line FROM job_logs WHERE job_id = $1 AND number > $2 ORDER BY number LIMIT $3",
          {job_id, after, std::max<int64_t>(max_lines, 0)}));
  std::vector<JobLogLine> lines;
  for (const SqlRow& row : rows) lines.push_back({ToNumber(row[0]), FromMicros(ToNumber(row[1])), row[2]});
  return lines;
}

}  // namespace ddsp::server
