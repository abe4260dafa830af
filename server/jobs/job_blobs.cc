#include "server/jobs/job_blobs.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

constexpr size_t kDigestLength = 64;
// Values of one statement: it has one form, whatever their number, and is prepared once.
constexpr size_t kAtOnce = 64;
constexpr BlobRole kRoles[] = {BlobRole::kInput, BlobRole::kResult, BlobRole::kExample, BlobRole::kCheckpoint};

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// "($1, $2, $4), ($1, $2, $5), ..." or "$1, $2, ..."
std::string InsertMany(size_t rows) {
  std::string sql = "INSERT INTO job_blobs (job_id, role, blob) VALUES ";
  for (size_t i = 0; i < rows; ++i) absl::StrAppend(&sql, i > 0 ? ", " : "", "($1, $2, $", i + 3, ")");
  return sql + " ON CONFLICT DO NOTHING";
}

std::string SelectMany() {
  std::string list;
  for (size_t i = 1; i <= kAtOnce; ++i) absl::StrAppend(&list, i > 1 ? ", $" : "$", i);
  return absl::StrCat("SELECT DISTINCT blob FROM job_blobs WHERE blob IN (", list, ")");
}

// Up to kAtOnce of `blobs` from `begin`; the last fills up what is missing.
void AppendPadded(const std::vector<std::string>& blobs, size_t begin, std::vector<SqlValue>* values) {
  for (size_t i = begin; i < begin + kAtOnce; ++i) values->push_back(blobs[std::min(i, blobs.size() - 1)]);
}

absl::Status Insert(SqlTransaction& transaction, const std::string& job_id, BlobRole role,
                    const std::vector<std::string>& blobs) {
  static const auto* const one = new std::string(InsertMany(1));
  static const auto* const many = new std::string(InsertMany(kAtOnce));
  const bool are_few = blobs.size() <= 4;
  for (size_t begin = 0; begin < blobs.size(); begin += are_few ? 1 : kAtOnce) {
    std::vector<SqlValue> values = {job_id, static_cast<int64_t>(role)};
    are_few ? values.push_back(blobs[begin]) : AppendPadded(blobs, begin, &values);
    RETURN_IF_ERROR(transaction.Run(are_few ? *one : *many, values).status());
  }
  return absl::OkStatus();
}

absl::Status Delete(SqlTransaction& transaction, const std::string& job_id, BlobRole role) {
  return transaction.Run("DELETE FROM job_blobs WHERE job_id = $1 AND role = $2", {job_id, static_cast<int64_t>(role)})
      .status();
}

}  // namespace

std::vector<std::string> DigestsIn(std::string_view text) {
  std::set<std::string> digests;
  size_t length = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && IsHexDigit(text[i])) {
      ++length;
      continue;
    }
    if (length == kDigestLength) digests.emplace(text.substr(i - kDigestLength, kDigestLength));
    length = 0;
  }
  return {digests.begin(), digests.end()};
}

std::vector<std::string> BlobsOf(const Job& job, BlobRole role) {
  switch (role) {
    case BlobRole::kInput:
      return DigestsIn(job.spec);
    case BlobRole::kResult:
      return DigestsIn(job.result);
    case BlobRole::kExample:
      return DigestsIn(job.progress.examples);
    case BlobRole::kCheckpoint:
      if (job.state == JobState::kSucceeded || job.state == JobState::kCancelled) return {};
      return DigestsIn(job.checkpoint.blob);
    case BlobRole::kOutput:
      return {};
  }
  return {};
}

std::vector<std::string> Superseded(const Job& before, const Job& after) {
  std::set<std::string> superseded;
  for (const BlobRole role : kRoles) {
    for (std::string& blob : BlobsOf(before, role)) superseded.insert(std::move(blob));
  }
  for (const BlobRole role : kRoles) {
    for (const std::string& blob : BlobsOf(after, role)) superseded.erase(blob);
  }
  return {superseded.begin(), superseded.end()};
}

absl::Status InsertBlobs(SqlTransaction& transaction, const Job& job) {
  for (const BlobRole role : kRoles) RETURN_IF_ERROR(Insert(transaction, job.id, role, BlobsOf(job, role)));
  return absl::OkStatus();
}

absl::Status UpdateBlobs(SqlTransaction& transaction, const Job& before, const Job& after) {
  for (const BlobRole role : kRoles) {
    // The spec, which never changes, need not have been read.
    if (role == BlobRole::kInput || BlobsOf(before, role) == BlobsOf(after, role)) continue;
    RETURN_IF_ERROR(Delete(transaction, after.id, role));
    RETURN_IF_ERROR(Insert(transaction, after.id, role, BlobsOf(after, role)));
  }
  const bool ended = IsFinished(after.state) && !IsFinished(before.state);
  return ended ? Delete(transaction, after.id, BlobRole::kOutput) : absl::OkStatus();
}

absl::Status HoldOutputs(SqlTransaction& transaction, const std::string& job_id,
                         const std::vector<std::string>& blobs) {
  return Insert(transaction, job_id, BlobRole::kOutput, blobs);
}

absl::StatusOr<std::vector<std::string>> SelectNeeded(SqlTransaction& transaction,
                                                      const std::vector<std::string>& blobs) {
  static const auto* const sql = new std::string(SelectMany());
  std::vector<std::string> needed;
  for (size_t begin = 0; begin < blobs.size(); begin += kAtOnce) {
    std::vector<SqlValue> values;
    AppendPadded(blobs, begin, &values);
    ASSIGN_OR_RETURN(const auto rows, transaction.Run(*sql, values));
    for (const SqlRow& row : rows) needed.push_back(row[0]);
  }
  return needed;
}

}  // namespace ddsp::server
