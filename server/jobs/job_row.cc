#include "server/jobs/job_row.h"

#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::server {
namespace {

constexpr size_t kColumns = std::size(kJobColumns);

std::string ColumnList() {
  return absl::StrJoin(kJobColumns, ", ", [](std::string* out, std::string_view name) { out->append(name); });
}

// Takes a row's values one after the other; remembers whether one was no number.
class RowReader {
 public:
  explicit RowReader(const SqlRow& row) : row_(row) {}
  void Read(std::string* text) { *text = row_[at_++]; }
  void Read(int64_t* number) { ok_ &= absl::SimpleAtoi(row_[at_++], number); }
  void Read(absl::Time* time) {
    int64_t micros = 0;
    Read(&micros);
    *time = FromMicros(micros);
  }
  void Read(bool* flag) {
    int64_t number = 0;
    Read(&number);
    *flag = number != 0;
  }
  void Read(JobState* state) {
    int64_t number = 0;
    Read(&number);
    ok_ &= number >= 0 && number <= static_cast<int64_t>(JobState::kCancelled);
    *state = static_cast<JobState>(number);
  }
  bool ok() const { return ok_; }

 private:
  const SqlRow& row_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Names the members in the order of the columns, for both directions.
template <typename J, typename Visit>
void VisitMembers(J& job, const Visit& visit) {
  visit(job.id), visit(job.request_id), visit(job.kind), visit(job.display_name), visit(job.spec);
  visit(job.priority), visit(job.state), visit(job.revision);
  visit(job.create_time), visit(job.update_time), visit(job.run_time), visit(job.start_time), visit(job.end_time);
  visit(job.attempts), visit(job.failures), visit(job.worker), visit(job.lease_id), visit(job.lease_expire_time);
  visit(job.cancel_requested), visit(job.progress.done), visit(job.progress.total), visit(job.progress.metrics);
  visit(job.progress.examples), visit(job.checkpoint.step), visit(job.checkpoint.blob), visit(job.result),
      visit(job.error);
}

SqlValue ToValue(const std::string& text) { return text; }
SqlValue ToValue(int64_t number) { return number; }
SqlValue ToValue(absl::Time time) { return ToMicros(time); }
SqlValue ToValue(bool flag) { return int64_t{flag}; }
SqlValue ToValue(JobState state) { return static_cast<int64_t>(state); }

}  // namespace

int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
absl::Time FromMicros(int64_t micros) { return absl::FromUnixMicros(micros); }

std::vector<SqlValue> ToValues(const Job& job) {
  std::vector<SqlValue> values;
  values.reserve(kColumns);
  VisitMembers(job, [&](const auto& member) { values.push_back(ToValue(member)); });
  return values;
}

absl::StatusOr<Job> ToJob(const SqlRow& row) {
  Job job;
  if (row.size() == kColumns) {
    RowReader reader(row);
    VisitMembers(job, [&](auto& member) { reader.Read(&member); });
    if (reader.ok()) return job;
  }
  return absl::InternalError(absl::StrCat("the job store holds a row that is no job: ", absl::StrJoin(row, ", ")));
}

std::string SelectJobs(std::string_view rest) {
  return absl::StrCat("SELECT ", ColumnList(), " FROM jobs ", std::string(rest));
}

std::string InsertJob(std::string_view rest) {
  std::string values;
  for (size_t i = 1; i <= kColumns; ++i) absl::StrAppend(&values, i > 1 ? ", $" : "$", i);
  return absl::StrCat("INSERT INTO jobs (", ColumnList(), ") VALUES (", values, ") ", std::string(rest));
}

std::string UpdateJob() {
  std::string sets;
  for (size_t i = 1; i < kColumns; ++i) {
    absl::StrAppend(&sets, i > 1 ? ", " : "", std::string(kJobColumns[i]), " = $", i + 1);
  }
  return absl::StrCat("UPDATE jobs SET ", sets, " WHERE id = $1");
}

}  // namespace ddsp::server
