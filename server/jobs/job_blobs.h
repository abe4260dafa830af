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
// kOutput: of a result that is not told yet; the other roles are what the job's texts say.
enum class BlobRole { kInput, kResult, kExample, kCheckpoint, kOutput };

// Everything in the text that looks like the digest of a blob: 64 lower-case hexadecimal digits on their own. Each
// once.
std::vector<std::string> DigestsIn(std::string_view text);

// The blobs that `job` needs in one role: those that its texts name, hence none as kOutput. A succeeded or cancelled
// job needs no checkpoint.
std::vector<std::string> BlobsOf(const Job& job, BlobRole role);

// What `before` needs and `after`, the same job later, does not.
std::vector<std::string> Superseded(const Job& before, const Job& after);

// Keeps what a new job needs; and what it needs after a change and did not before, or the other way round. A job that
// has ended needs no outputs but those of its result.
absl::Status InsertBlobs(SqlTransaction& transaction, const Job& job);
absl::Status UpdateBlobs(SqlTransaction& transaction, const Job& before, const Job& after);

// Holds blobs for a job until it ends.
absl::Status HoldOutputs(SqlTransaction& transaction, const std::string& job_id, const std::vector<std::string>& blobs);

// Those of `blobs` that some job needs.
absl::StatusOr<std::vector<std::string>> SelectNeeded(SqlTransaction& transaction,
                                                      const std::vector<std::string>& blobs);

}  // namespace ddsp::server
