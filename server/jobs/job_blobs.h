// Which blobs a job needs, so that those which none needs can go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/jobs/job.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

// What a job needs a blob for, as the table `job_blobs` has it.
enum class BlobRole { kInput, kResult, kExample, kCheckpoint };

// Everything in the text that looks like the digest of a blob: 64 lower-case hexadecimal digits on their own. Each
// once.
std::vector<std::string> DigestsIn(std::string_view text);

// The blobs that `job` needs in one role: those that its texts name. A succeeded or cancelled job needs no checkpoint.
std::vector<std::string> BlobsOf(const Job& job, BlobRole role);

// What `before` needs and `after`, the same job later, does not.
std::vector<std::string> Superseded(const Job& before, const Job& after);

// Keeps what a new job needs; and what it needs after a change and did not before, or the other way round.
absl::Status InsertBlobs(SqlTransaction& transaction, const Job& job);
absl::Status UpdateBlobs(SqlTransaction& transaction, const Job& before, const Job& after);

// Those of `blobs` that some job needs.
absl::StatusOr<std::vector<std::string>> SelectNeeded(SqlTransaction& transaction,
                                                      const std::vector<std::string>& blobs);

}  // namespace ddsp::server
