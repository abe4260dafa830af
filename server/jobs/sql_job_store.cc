#include "server/jobs/sql_job_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/job_checks.h"
#include "server/jobs/job_row.h"
#include "server/jobs/migrations.h"
#include "server/jobs/page_token.h"
#include "server/jobs/random_id.h"
#include "server/jobs/utf8.h"

namespace ddsp::server {
namespace {

absl::Status NotFound(const std::string& id) {
  return MakeError(Reason::kJobNotFound, absl::StrCat("there is no job '", id, "'"), {{"job", id}});
}

absl::StatusOr<std::vector<Job>> Jobs(SqlTransaction& transaction, const std::string& sql,
                                      const std::vector<SqlValue>& values) {
  ASSIGN_OR_RETURN(const auto rows, transaction.Run(sql, values));
  std::vector<Job> jobs;
  for (const SqlRow& row : rows) {
    ASSIGN_OR_RETURN(jobs.emplace_back(), ToJob(row));
  }
  return jobs;
}

absl::StatusOr<Job> JobOf(SqlTransaction& transaction, const std::string& id, const std::string& lock) {
  if (FirstUnstorable(id).has_value()) return NotFound(absl::CEscape(id));
  ASSIGN_OR_RETURN(std::vector<Job> jobs, Jobs(transaction, SelectJobs(absl::StrCat("WHERE id = $1", lock)), {id}));
  if (jobs.empty()) return NotFound(id);
  return std::move(jobs[0]);
}

absl::Status Keep(SqlTransaction& transaction, const Job& job) {
  RETURN_IF_ERROR(transaction.Run(UpdateJob(), ToValues(job)).status());
  return transaction.Announce(job.id);
}

// "(0, 5)"
std::string StateList(const std::vector<JobState>& states) {
  std::string list;
  for (const JobState state : states) absl::StrAppend(&list, list.empty() ? "(" : ", ", static_cast<int>(state));
  return list + ")";
}

// Adds a value and names it in the statement.
std::string Bind(SqlValue value, std::vector<SqlValue>* values) {
  values->push_back(std::move(value));
  return absl::StrCat("$", values->size());
}

std::string SelectPage(const JobQuery& query, const PagePosition& position, std::vector<SqlValue>* values) {
  std::string sql =
      absl::StrCat("WHERE (create_us, id) < (", Bind(position.create_us, values), ", ", Bind(position.id, values), ")");
  const JobFilter& filter = query.filter;
  if (!filter.states.empty()) absl::StrAppend(&sql, " AND state IN ", StateList(filter.states));
  if (!filter.kind.empty()) absl::StrAppend(&sql, " AND kind = ", Bind(filter.kind, values));
  if (!filter.display_name.empty()) absl::StrAppend(&sql, " AND display_name = ", Bind(filter.display_name, values));
  return SelectJobs(absl::StrCat(sql, " ORDER BY create_us DESC, id DESC LIMIT ", Bind(query.page_size + 1, values)));
}

std::string SelectClaimable(const JobClaim& claim, absl::Time now, const JobPolicy& policy,
                            std::vector<SqlValue>* values) {
  // The states are those of the index; the times are those of IsClaimable().
  std::string sql =
      absl::StrCat("WHERE state IN (0, 2) AND (run_us <= ", Bind(ToMicros(now), values), " OR (state = 2 AND run_us > ",
                   Bind(ToMicros(now + 2 * policy.max_back_off), values), "))");
  std::string kinds;
  for (const std::string& kind : claim.kinds) absl::StrAppend(&kinds, kinds.empty() ? "" : ", ", Bind(kind, values));
  absl::StrAppend(&sql, " AND kind IN (", kinds, ")");
  if (!claim.job_id.empty()) absl::StrAppend(&sql, " AND id = ", Bind(claim.job_id, values));
  return SelectJobs(absl::StrCat(sql, " ORDER BY priority, run_us, id LIMIT ", Bind(claim.max_jobs, values)));
}

bool AskedForTheSame(const Job& job, const NewJob& asked) {
  return job.kind == asked.kind && job.display_name == asked.display_name && job.spec == asked.spec &&
         job.priority == asked.priority;
}

class SqlJobStore : public JobStore {
 public:
  SqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock, const JobStoreOptions& options)
      : engine_(std::move(engine)), clock_(clock), options_(options) {}

  absl::StatusOr<Job> Create(const NewJob& asked) override {
    RETURN_IF_ERROR(Validate(asked, options_.limits));
    const Job job = ToNewJob(asked);
    return Transact<Job>([&](SqlTransaction& transaction) -> absl::StatusOr<Job> {
      ASSIGN_OR_RETURN(const auto made,
                       transaction.Run(InsertJob("ON CONFLICT (request_id) DO NOTHING RETURNING id"), ToValues(job)));
      if (!made.empty()) {
        RETURN_IF_ERROR(transaction.Announce(job.id));
        return job;
      }
      ASSIGN_OR_RETURN(const std::vector<Job> there,
                       Jobs(transaction, SelectJobs("WHERE request_id = $1"), {asked.request_id}));
      if (there.size() == 1 && AskedForTheSame(there[0], asked)) return there[0];
      return MakeError(Reason::kRequestIdReused,
                       absl::StrCat("request_id '", asked.request_id, "' created another job"),
                       {{"request_id", asked.request_id}, {"job", there.empty() ? "" : there[0].id}});
    });
  }

  absl::StatusOr<Job> Get(const std::string& id) override {
    return Transact<Job>([&](SqlTransaction& transaction) { return JobOf(transaction, id, ""); });
  }

  absl::StatusOr<JobPage> List(const JobQuery& query) override {
    RETURN_IF_ERROR(CheckQuery(query, options_.limits));
    ASSIGN_OR_RETURN(const PagePosition position, ReadPageToken(query.page_token, query.filter));
    std::vector<SqlValue> values;
    const std::string sql = SelectPage(query, position, &values);
    JobPage page;
    ASSIGN_OR_RETURN(page.jobs, Transact<std::vector<Job>>(
                                    [&](SqlTransaction& transaction) { return Jobs(transaction, sql, values); }));
    if (static_cast<int64_t>(page.jobs.size()) > query.page_size) {
      page.jobs.pop_back();
      const Job& last = page.jobs.back();
      page.next_page_token = MakePageToken({ToMicros(last.create_time), last.id}, query.filter);
    }
    return page;
  }

  absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) override {
    RETURN_IF_ERROR(CheckClaim(claim, options_.limits));
    const absl::Time now = Now();
    std::vector<SqlValue> values;
    const std::string sql = SelectClaimable(claim, now, options_.policy, &values) + engine_->dialect().lock_free_rows;
    return Transact<std::vector<Job>>([&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<Job>> {
      ASSIGN_OR_RETURN(std::vector<Job> jobs, Jobs(transaction, sql, values));
      for (Job& job : jobs) {
        ASSIGN_OR_RETURN(job, Next(job, JobClaimed{claim.worker, RandomId(16)}, now, options_.policy));
        RETURN_IF_ERROR(Keep(transaction, job));
      }
      return jobs;
    });
  }

  absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) override {
    RETURN_IF_ERROR(CheckEvent(event, options_.limits));
    const absl::Time now = Now();
    return Transact<Job>([&](SqlTransaction& transaction) -> absl::StatusOr<Job> {
      ASSIGN_OR_RETURN(const Job job, JobOf(transaction, id, engine_->dialect().lock_row));
      ASSIGN_OR_RETURN(Job next, Next(job, event, now, options_.policy));
      if (next.revision != job.revision) RETURN_IF_ERROR(Keep(transaction, next));
      return next;
    });
  }

  absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs) override {
    const absl::Time now = Now();
    const std::vector<SqlValue> values = {ToMicros(now), ToMicros(now + 2 * options_.policy.lease), max_jobs};
    const std::string sql =
        SelectJobs(
            "WHERE state = 1 AND (lease_expire_us <= $1 OR lease_expire_us > $2) ORDER BY lease_expire_us LIMIT $3") +
        engine_->dialect().lock_free_rows;
    return Transact<int64_t>([&](SqlTransaction& transaction) -> absl::StatusOr<int64_t> {
      ASSIGN_OR_RETURN(const std::vector<Job> jobs, Jobs(transaction, sql, values));
      for (const Job& job : jobs) {
        ASSIGN_OR_RETURN(const Job next, Next(job, JobLeaseChecked{}, now, options_.policy));
        RETURN_IF_ERROR(Keep(transaction, next));
      }
      return static_cast<int64_t>(jobs.size());
    });
  }

  absl::Status AppendLog(const std::string& id, const std::string& lease_id,
                         const std::vector<std::string>& lines) override {
    RETURN_IF_ERROR(CheckLogLines(lines, options_.limits));
    const absl::Time now = Now();
    return engine_->Transact([&](SqlTransaction& transaction) -> absl::Status {
      ASSIGN_OR_RETURN(const Job job, JobOf(transaction, id, engine_->dialect().lock_row));
      RETURN_IF_ERROR(Next(job, JobHeartbeat{.lease_id = lease_id}, now, options_.policy).status());
      ASSIGN_OR_RETURN(int64_t number, LastLogNumber(transaction, id));
      for (const std::string& line : lines) {
        RETURN_IF_ERROR(transaction
                            .Run("INSERT INTO job_logs (job_id, number, time_us, line) VALUES ($1, $2, $3, $4)",
                                 {id, ++number, ToMicros(now), line})
                            .status());
      }
      RETURN_IF_ERROR(
          transaction
              .Run("DELETE FROM job_logs WHERE job_id = $1 AND number <= $2", {id, number - options_.max_log_lines})
              .status());
      return transaction.Announce(id);
    });
  }

  absl::StatusOr<std::vector<JobLogLine>> ReadLog(const std::string& id, int64_t after, int64_t max_lines) override {
    return Transact<std::vector<JobLogLine>>(
        [&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<JobLogLine>> {
          RETURN_IF_ERROR(JobOf(transaction, id, "").status());
          ASSIGN_OR_RETURN(const auto rows, transaction.Run("SELECT number, time_us, line FROM job_logs WHERE job_id = "
                                                            "$1 AND number > $2 ORDER BY number LIMIT $3",
                                                            {id, after, std::max<int64_t>(max_lines, 0)}));
          std::vector<JobLogLine> lines;
          for (const SqlRow& row : rows) lines.push_back({ToNumber(row[0]), FromMicros(ToNumber(row[1])), row[2]});
          return lines;
        });
  }

  ChangeHub& changes() override { return engine_->changes(); }

 private:
  // Of a column whose type the database guards.
  static int64_t ToNumber(const std::string& text) {
    int64_t number = 0;
    return absl::SimpleAtoi(text, &number) ? number : 0;
  }

  static absl::StatusOr<int64_t> LastLogNumber(SqlTransaction& transaction, const std::string& id) {
    ASSIGN_OR_RETURN(const auto rows,
                     transaction.Run("SELECT coalesce(max(number), 0) FROM job_logs WHERE job_id = $1", {id}));
    return rows.empty() ? 0 : ToNumber(rows[0][0]);
  }

  template <typename T, typename Body>
  absl::StatusOr<T> Transact(const Body& body) {
    absl::StatusOr<T> result = absl::InternalError("the transaction was not run");
    RETURN_IF_ERROR(engine_->Transact([&](SqlTransaction& transaction) {
      result = body(transaction);
      return result.status();
    }));
    return result;
  }

  // As it is kept, so that a job that is returned equals the one that is read back.
  absl::Time Now() const { return FromMicros(ToMicros(clock_.Now())); }

  Job ToNewJob(const NewJob& asked) const {
    Job job;
    // Names of resources have at most 63 characters.
    job.id = absl::StrCat(asked.kind.substr(0, 30), "-", RandomId(8));
    job.request_id = asked.request_id;
    job.kind = asked.kind;
    job.display_name = asked.display_name;
    job.spec = asked.spec;
    job.priority = asked.priority;
    job.create_time = job.update_time = Now();
    job.run_time = FromMicros(ToMicros(std::clamp(asked.run_time, job.create_time, job.create_time + kLatestStart)));
    return job;
  }

  static constexpr absl::Duration kLatestStart = absl::Hours(24 * 365);
  const std::unique_ptr<SqlEngine> engine_;
  const Clock& clock_;
  const JobStoreOptions options_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> MakeSqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock,
                                                          const JobStoreOptions& options) {
  RETURN_IF_ERROR(Validate(options.policy));
  RETURN_IF_ERROR(Migrate(*engine, JobStoreMigrations()));
  return std::make_unique<SqlJobStore>(std::move(engine), clock, options);
}

}  // namespace ddsp::server
