// A job as a row of the table `jobs`, and its long texts as one of `job_texts`, which heartbeats leave alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/jobs/job.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

// Errors: INTERNAL for a row that no job was written to. Without the texts the spec and the result are empty.
absl::StatusOr<Job> ToJob(const SqlRow& row);

int64_t ToMicros(absl::Time time);
absl::Time FromMicros(int64_t micros);

struct SqlStatement {
  std::string sql;
  std::vector<SqlValue> values;
};

// "SELECT ... WHERE " and what follows: jobs with their texts, or without.
std::string SelectJobs(std::string_view where);
std::string SelectJobRows(std::string_view where);
// Returns no row where the request has created a job already.
SqlStatement InsertJob(const Job& job);
SqlStatement InsertTexts(const Job& job);
// What events change, but for the result.
SqlStatement UpdateJob(const Job& job);
SqlStatement UpdateResult(const Job& job);

}  // namespace ddsp::server
