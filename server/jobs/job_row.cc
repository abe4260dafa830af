#include "server/jobs/job_row.h"

#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::server {
namespace {

// What never changes comes first.
constexpr std::string_view kColumns[] = {"id",
                                         "request_id",
                                         "kind",
                                         "display_name",
                                         "priority",
                                         "create_us",
                                         "state",
                                         "revision",
                                         "update_us",
                                         "run_us",
                                         "start_us",
                                         "end_us",
                                         "attempts",
                                         "failures",
                                         "worker",
                                         "lease_id",
                                         "lease_expire_us",
                                         "cancel_requested",
                                         "progress_done",
                                         "progress_total",
                                         "metrics",
                                         "examples",
                                         "checkpoint_step",
                                         "checkpoint_blob",
                                         "error"};
constexpr size_t kColumnCount = std::size(kColumns);
constexpr size_t kFirstThatChanges = 6;
constexpr size_t kTextCount = 2;

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
  visit(job.id), visit(job.request_id), visit(job.kind), visit(job.display_name);
  visit(job.priority), visit(job.create_time), visit(job.state), visit(job.revision);
  visit(job.update_time), visit(job.run_time), visit(job.start_time), visit(job.end_time);
  visit(job.attempts), visit(job.failures), visit(job.worker), visit(job.lease_id), visit(job.lease_expire_time);
  visit(job.cancel_requested), visit(job.progress.done), visit(job.progress.total), visit(job.progress.metrics);
  visit(job.progress.examples), visit(job.checkpoint.step), visit(job.checkpoint.blob), visit(job.error);
}

SqlValue ToValue(const std::string& text) { return text; }
SqlValue ToValue(int64_t number) { return number; }
SqlValue ToValue(absl::Time time) { return ToMicros(time); }
SqlValue ToValue(bool flag) { return int64_t{flag}; }
SqlValue ToValue(JobState state) { return static_cast<int64_t>(state); }

// One value for each column.
std::vector<SqlValue> ToValues(const Job& job) {
  std::vector<SqlValue> values;
  values.reserve(kColumnCount);
  VisitMembers(job, [&](const auto& member) { values.push_back(ToValue(member)); });
  return values;
}

std::string ColumnList() {
  return absl::StrJoin(kColumns, ", ", [](std::string* out, std::string_view name) { out->append(name); });
}

std::string MakeInsert() {
  std::string values;
  for (size_t i = 1; i <= kColumnCount; ++i) absl::StrAppend(&values, i > 1 ? ", $" : "$", i);
  return absl::StrCat("INSERT INTO jobs (", ColumnList(), ") VALUES (", values,
                      ") ON CONFLICT (request_id) DO NOTHING RETURNING id");
}

std::string MakeUpdate() {
  std::string sets;
  for (size_t i = kFirstThatChanges; i < kColumnCount; ++i) {
    absl::StrAppend(&sets, i > kFirstThatChanges ? ", " : "", std::string(kColumns[i]), " = $",
                    i - kFirstThatChanges + 2);
  }
  return absl::StrCat("UPDATE jobs SET ", sets, " WHERE id = $1");
}

}  // namespace

int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
absl::Time FromMicros(int64_t micros) { return absl::FromUnixMicros(micros); }

absl::StatusOr<Job> ToJob(const SqlRow& row) {
  Job job;
  if (row.size() == kColumnCount || row.size() == kColumnCount + kTextCount) {
    RowReader reader(row);
    VisitMembers(job, [&](auto& member) { reader.Read(&member); });
    if (row.size() > kColumnCount) reader.Read(&job.spec), reader.Read(&job.result);
    if (reader.ok()) return job;
  }
  return absl::InternalError(absl::StrCat("the job store holds a row that is no job: ", absl::StrJoin(row, ", ")));
}

// CROSS JOIN: SQLite keeps to this order of the tables.
std::string SelectJobs(std::string_view where) {
  return absl::StrCat("SELECT ", ColumnList(), ", spec, result FROM jobs CROSS JOIN job_texts WHERE job_id = id AND ",
                      std::string(where));
}

std::string SelectJobRows(std::string_view where) {
  return absl::StrCat("SELECT ", ColumnList(), " FROM jobs WHERE ", std::string(where));
}

SqlStatement InsertJob(const Job& job) {
  static const auto* const sql = new std::string(MakeInsert());
  return {*sql, ToValues(job)};
}

SqlStatement InsertTexts(const Job& job) {
  return {"INSERT INTO job_texts (job_id, spec, result) VALUES ($1, $2, $3)", {job.id, job.spec, job.result}};
}

SqlStatement UpdateJob(const Job& job) {
  static const auto* const sql = new std::string(MakeUpdate());
  std::vector<SqlValue> values = ToValues(job);
  values.erase(values.begin() + 1, values.begin() + kFirstThatChanges);
  return {*sql, std::move(values)};
}

SqlStatement UpdateResult(const Job& job) {
  return {"UPDATE job_texts SET result = $2 WHERE job_id = $1", {job.id, job.result}};
}

}  // namespace ddsp::server
