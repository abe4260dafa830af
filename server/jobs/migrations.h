// The tables of the job store, as numbered steps from an empty database to the present form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

// A step that has been released is never edited: databases remember the number of the last one they took.
struct Migration {
  std::vector<std::string> statements;
  // What statements cannot say, after them; null: nothing.
  absl::Status (*then)(SqlTransaction&) = nullptr;
};

absl::Span<const Migration> JobStoreMigrations();

// Takes the steps that the database lacks, each with its number in one transaction; several processes may try at once.
// Errors: FAILED_PRECONDITION for a database that a newer program has changed.
absl::Status Migrate(SqlEngine& engine, absl::Span<const Migration> migrations);

}  // namespace ddsp::server
