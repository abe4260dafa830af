#include "server/jobs/sql_job_store.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/jobs/job_blobs.h"
#include "server/jobs/job_checks.h"
#include "server/jobs/job_log.h"
#include "server/jobs/job_queries.h"
#include "server/jobs/job_row.h"
#include "server/jobs/migrations.h"
#include "server/jobs/page_token.h"
#include "server/jobs/random_id.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kLatestStart = absl::Hours(24 * 365);
// Of the specs and results of a page, and jobs that are read at once for it.
constexpr size_t kMaxPageBytes = 1 << 20;
constexpr int64_t kPagePart = 20;
constexpr int64_t kMaxPruned = 1000;

absl::Status NotFound(const std::string& id) {
  return MakeError(Reason::kJobNotFound, absl::StrCat("there is no job '", Echo(id), "'"), {{"job", Echo(id)}});
}

absl::StatusOr<std::vector<SqlRow>> Run(SqlTransaction& transaction, const SqlStatement& statement) {
  return transaction.Run(statement.sql, statement.values);
}

absl::StatusOr<std::vector<Job>> Jobs(SqlTransaction& transaction, const SqlStatement& select) {
  ASSIGN_OR_RETURN(const auto rows, Run(transaction, select));
  std::vector<Job> jobs;
  for (const SqlRow& row : rows) {
    ASSIGN_OR_RETURN(jobs.emplace_back(), ToJob(row));
  }
  return jobs;
}

// One job; `select` says what of it, and is completed with "id = $1" and `lock`.
absl::StatusOr<Job> JobOf(SqlTransaction& transaction, const std::string& id, std::string (*select)(std::string_view),
                          const std::string& lock = "") {
  if (FirstNoText(id).has_value()) return NotFound(id);
  ASSIGN_OR_RETURN(std::vector<Job> jobs, Jobs(transaction, {select("id = $1" + lock), {id}}));
  if (jobs.empty()) return NotFound(id);
  return std::move(jobs[0]);
}

// Writes what has changed, if anything, and tells it.
absl::Status Keep(SqlTransaction& transaction, const SqlDialect& dialect, const Job& before, const Job& after) {
  if (after.revision == before.revision) return absl::OkStatus();
  SqlStatement update = UpdateJob(after);
  update.sql += dialect.announce_row;
  RETURN_IF_ERROR(Run(transaction, update).status());
  if (after.result != before.result) RETURN_IF_ERROR(Run(transaction, UpdateResult(after)).status());
  RETURN_IF_ERROR(UpdateBlobs(transaction, before, after));
  return dialect.announce_row.empty() ? transaction.Announce(after.id) : absl::OkStatus();
}

absl::Status Forget(SqlTransaction& transaction, const std::string& id) {
  for (const char* const sql : {"DELETE FROM job_logs WHERE job_id = $1", "DELETE FROM job_blobs WHERE job_id = $1",
                                "DELETE FROM job_texts WHERE job_id = $1", "DELETE FROM job_tenants WHERE job_id = $1",
                                "DELETE FROM jobs WHERE id = $1"}) {
    RETURN_IF_ERROR(transaction.Run(sql, {id}).status());
  }
  return transaction.Announce(id);
}

bool ComesFirst(const Job& a, const Job& b) {
  return std::tie(a.priority, a.run_time, a.id) < std::tie(b.priority, b.run_time, b.id);
}

bool AskedForTheSame(const Job& job, const NewJob& asked) {
  return job.kind == asked.kind && job.display_name == asked.display_name && job.spec == asked.spec &&
         job.priority == asked.priority;
}

int64_t NumberIn(const std::vector<SqlRow>& rows, size_t row, size_t column) {
  int64_t number = 0;
  return row < rows.size() && absl::SimpleAtoi(rows[row][column], &number) ? number : 0;
}

// Notes whose job it is, which is in the transaction already. Two servers that share a database may let in one more.
absl::Status AdmitOwner(SqlTransaction& transaction, const std::string& id, const JobOwner& owner) {
  if (owner.tenant.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(
      transaction.Run("INSERT INTO job_tenants (job_id, tenant) VALUES ($1, $2)", {id, owner.tenant}).status());
  if (owner.max_waiting == 0) return absl::OkStatus();
  // By what waits, not by all that the tenant ever had.
  ASSIGN_OR_RETURN(const auto rows,
                   transaction.Run("SELECT count(*) FROM jobs WHERE state IN (0, 2) AND EXISTS (SELECT 1 FROM "
                                   "job_tenants WHERE job_id = id AND tenant = $1)",
                                   {owner.tenant}));
  if (NumberIn(rows, 0, 0) <= owner.max_waiting) return absl::OkStatus();
  return MakeQuotaError(
      Reason::kJobQuotaExceeded,
      absl::StrCat("tenant ", owner.tenant, " has ", owner.max_waiting, " jobs that wait, as many as it may"),
      absl::StrCat("tenant:", owner.tenant), {{"tenant", owner.tenant}, {"limit", absl::StrCat(owner.max_waiting)}});
}

// How many more jobs may wait. Counts them seldom: a part of the room that it found is given away before it does again.
class WaitingRoom {
 public:
  explicit WaitingRoom(int64_t max_waiting) : max_waiting_(max_waiting) {}

  // With the new job in the transaction already.
  absl::Status Admit(SqlTransaction& transaction) {
    if (max_waiting_ == 0 || given_away_.fetch_sub(1) > 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto rows, transaction.Run("SELECT count(*) FROM jobs WHERE state IN (0, 2)", {}));
    const int64_t waiting = NumberIn(rows, 0, 0);
    given_away_ = std::max<int64_t>(0, max_waiting_ - waiting) / 4;
    if (waiting <= max_waiting_) return absl::OkStatus();
    return WithRetry(
        MakeError(Reason::kJobStoreFull, absl::StrCat(max_waiting_, " jobs wait for a worker, as many as may"),
                  {{"max_waiting_jobs", absl::StrCat(max_waiting_)}}),
        absl::Minutes(1));
  }

 private:
  const int64_t max_waiting_;
  std::atomic<int64_t> given_away_ = 0;
};

// A server whose bytes are elsewhere would lose those of the other's jobs.
absl::Status MoveIn(SqlEngine& engine, const JobHome& home) {
  if (home.id.empty()) return absl::OkStatus();
  return engine.Transact([&](SqlTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(transaction
                        .Run("INSERT INTO job_home (number, id, place) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
                             {home.id, home.where})
                        .status());
    ASSIGN_OR_RETURN(const auto rows, transaction.Run("SELECT id, place FROM job_home WHERE number = 1", {}));
    if (rows.empty()) return absl::InternalError("the job store has no home");
    if (rows[0][0] == home.id) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("its jobs belong to another data dir, ", rows[0][1], " (",
                                                      rows[0][0], "), and not to this one, ", home.where, " (", home.id,
                                                      "): their recordings and results are there"));
  });
}

class SqlJobStore : public JobStore {
 public:
  SqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock, const JobStoreOptions& options)
      : engine_(std::move(engine)), clock_(clock), options_(options), room_(options.max_waiting_jobs) {}

  absl::StatusOr<Job> Create(const NewJob& asked) override {
    RETURN_IF_ERROR(Validate(asked, options_.limits));
    const Job job = ToNewJob(asked);
    absl::StatusOr<Job> created = Transact<Job>([&](SqlTransaction& transaction) -> absl::StatusOr<Job> {
      ASSIGN_OR_RETURN(const auto made, Run(transaction, InsertJob(job)));
      if (made.empty()) return TheOneOfTheSameRequest(transaction, asked);
      RETURN_IF_ERROR(room_.Admit(transaction));
      RETURN_IF_ERROR(AdmitOwner(transaction, job.id, asked.owner));
      RETURN_IF_ERROR(Run(transaction, InsertTexts(job)).status());
      RETURN_IF_ERROR(InsertBlobs(transaction, job));
      RETURN_IF_ERROR(transaction.Announce(job.id));
      return job;
    });
    if (created.ok() && created->id == job.id) Tell({{JobStep::kCreated, job, asked.owner.tenant}});
    return created;
  }

  absl::StatusOr<Job> Get(const std::string& id) override {
    return Transact<Job>([&](SqlTransaction& transaction) { return JobOf(transaction, id, &SelectJobs); });
  }

  absl::StatusOr<JobPage> List(const JobQuery& query) override {
    RETURN_IF_ERROR(CheckQuery(query, options_.limits));
    ASSIGN_OR_RETURN(const PagePosition position, ReadPageToken(query.page_token, query.filter));
    return Transact<JobPage>([&](SqlTransaction& transaction) { return PageAt(transaction, query, position); });
  }

  absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) override {
    RETURN_IF_ERROR(CheckClaim(claim, options_.limits));
    const absl::Time now = Now();
    std::vector<JobNews> news;
    ASSIGN_OR_RETURN(std::vector<Job> claimed,
                     Transact<std::vector<Job>>([&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<Job>> {
                       news.clear();
                       ASSIGN_OR_RETURN(std::vector<Job> jobs, Claimable(transaction, claim, now));
                       for (Job& job : jobs) {
                         const JobEvent event = JobClaimed{claim.worker, RandomId(16)};
                         ASSIGN_OR_RETURN(Job next, Next(job, event, now, options_.policy));
                         RETURN_IF_ERROR(Keep(transaction, engine_->dialect(), job, next));
                         RETURN_IF_ERROR(Note(transaction, job, next, event, &news));
                         job = std::move(next);
                       }
                       return jobs;
                     }));
    Tell(news);
    return claimed;
  }

  absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) override {
    RETURN_IF_ERROR(CheckEvent(event, options_.limits));
    const absl::Time now = Now();
    ASSIGN_OR_RETURN(Change change, Transact<Change>([&](SqlTransaction& transaction) -> absl::StatusOr<Change> {
                       ASSIGN_OR_RETURN(Job job, JobOf(transaction, id, &SelectJobs, engine_->dialect().lock_row));
                       ASSIGN_OR_RETURN(Job next, Next(job, event, now, options_.policy));
                       RETURN_IF_ERROR(Keep(transaction, engine_->dialect(), job, next));
                       if (const auto* heartbeat = std::get_if<JobHeartbeat>(&event)) {
                         RETURN_IF_ERROR(HoldOutputs(transaction, id, heartbeat->outputs));
                       }
                       Change made;
                       RETURN_IF_ERROR(Note(transaction, job, next, event, &made.news));
                       made.ended = IsFinished(next.state) && !IsFinished(job.state);
                       made.job = std::move(next);
                       return made;
                     }));
    Tell(change.news);
    if (change.ended) options_.on_end(change.job);
    return std::move(change.job);
  }

  absl::StatusOr<JobHeard> Heartbeat(const std::string& id, const JobHeartbeat& heartbeat,
                                     const std::vector<std::string>& log_lines) override {
    RETURN_IF_ERROR(CheckEvent(heartbeat, options_.limits));
    const absl::Status lines_checked = CheckLogLines(log_lines, options_.limits);
    const absl::Time now = Now();
    ASSIGN_OR_RETURN(
        const JobHeard heard, Transact<JobHeard>([&](SqlTransaction& transaction) -> absl::StatusOr<JobHeard> {
          ASSIGN_OR_RETURN(const Job job, JobOf(transaction, id, &SelectJobRows, engine_->dialect().lock_row));
          ASSIGN_OR_RETURN(const Job next, Next(job, heartbeat, now, options_.policy));
          RETURN_IF_ERROR(Keep(transaction, engine_->dialect(), job, next));
          RETURN_IF_ERROR(HoldOutputs(transaction, id, heartbeat.outputs));
          if (!log_lines.empty() && lines_checked.ok()) {
            RETURN_IF_ERROR(AppendLog(transaction, id, log_lines, now, options_.max_log_lines));
            RETURN_IF_ERROR(transaction.Announce(id));
          }
          return JobHeard{next.cancel_requested, Superseded(job, next)};
        }));
    RETURN_IF_ERROR(lines_checked);
    return heard;
  }

  absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs) override {
    const absl::Time now = Now();
    SqlStatement select = SelectExpired(now, options_.policy, max_jobs);
    select.sql += engine_->dialect().lock_free_rows;
    std::vector<JobNews> news;
    ASSIGN_OR_RETURN(const std::vector<Job> expired,
                     Transact<std::vector<Job>>([&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<Job>> {
                       news.clear();
                       ASSIGN_OR_RETURN(std::vector<Job> jobs, Jobs(transaction, select));
                       for (Job& job : jobs) {
                         ASSIGN_OR_RETURN(Job next, Next(job, JobLeaseChecked{}, now, options_.policy));
                         RETURN_IF_ERROR(Keep(transaction, engine_->dialect(), job, next));
                         RETURN_IF_ERROR(Note(transaction, job, next, JobLeaseChecked{}, &news));
                         job = std::move(next);
                       }
                       return jobs;
                     }));
    Tell(news);
    for (const Job& job : expired) {
      if (IsFinished(job.state)) options_.on_end(job);
    }
    return static_cast<int64_t>(expired.size());
  }

  absl::StatusOr<std::vector<JobLogLine>> ReadLog(const std::string& id, int64_t after, int64_t max_lines) override {
    return Transact<std::vector<JobLogLine>>(
        [&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<JobLogLine>> {
          RETURN_IF_ERROR(JobOf(transaction, id, &SelectJobRows).status());
          return server::ReadLog(transaction, id, after, max_lines);
        });
  }

  absl::StatusOr<int64_t> PruneFinished(const JobRetention& retention, int64_t max_jobs) override {
    max_jobs = std::clamp<int64_t>(max_jobs, 0, kMaxPruned);
    std::vector<SqlStatement> selects;
    if (retention.max_age > absl::ZeroDuration()) selects.push_back(SelectOld(Now() - retention.max_age, max_jobs));
    if (retention.max_finished > 0) selects.push_back(SelectSurplus(retention.max_finished, max_jobs));
    return Transact<int64_t>([&](SqlTransaction& transaction) -> absl::StatusOr<int64_t> {
      std::set<std::string> pruned;
      for (const SqlStatement& select : selects) {
        ASSIGN_OR_RETURN(const auto rows,
                         transaction.Run(select.sql + engine_->dialect().lock_free_rows, select.values));
        for (const SqlRow& row : rows) {
          if (static_cast<int64_t>(pruned.size()) < max_jobs) pruned.insert(row[0]);
        }
      }
      for (const std::string& id : pruned) RETURN_IF_ERROR(Forget(transaction, id));
      return static_cast<int64_t>(pruned.size());
    });
  }

  absl::StatusOr<std::vector<std::string>> NeededBlobs(const std::vector<std::string>& blobs) override {
    return Transact<std::vector<std::string>>(
        [&](SqlTransaction& transaction) { return SelectNeeded(transaction, blobs); });
  }

  absl::StatusOr<std::vector<JobCount>> Count() override {
    return Transact<std::vector<JobCount>>([&](SqlTransaction& transaction) -> absl::StatusOr<std::vector<JobCount>> {
      std::vector<JobCount> counts;
      // Each reads an index of its own.
      for (const char* const states : {"(0, 2)", "(1)"}) {
        ASSIGN_OR_RETURN(const auto rows, transaction.Run(absl::StrCat("SELECT kind, state, count(*) FROM jobs WHERE "
                                                                       "state IN ",
                                                                       states, " GROUP BY kind, state"),
                                                          {}));
        for (size_t i = 0; i < rows.size(); ++i) {
          counts.push_back({rows[i][0], static_cast<JobState>(NumberIn(rows, i, 1)), NumberIn(rows, i, 2)});
        }
      }
      return counts;
    });
  }

  ChangeHub& changes() override { return engine_->changes(); }

 private:
  // What an event has made of a job.
  struct Change {
    Job job;
    bool ended = false;
    std::vector<JobNews> news;
  };

  template <typename T, typename Body>
  absl::StatusOr<T> Transact(const Body& body) {
    absl::StatusOr<T> result = absl::InternalError("the transaction was not run");
    RETURN_IF_ERROR(engine_->Transact([&](SqlTransaction& transaction) {
      result = body(transaction);
      return result.status();
    }));
    return result;
  }

  // Appends what is to be told once the transaction has ended well.
  absl::Status Note(SqlTransaction& transaction, const Job& before, const Job& after, const JobEvent& event,
                    std::vector<JobNews>* news) const {
    if (!options_.on_news) return absl::OkStatus();
    const std::vector<JobStep> steps = StepsOf(before, after, event);
    if (steps.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto rows, transaction.Run("SELECT tenant FROM job_tenants WHERE job_id = $1", {after.id}));
    for (const JobStep step : steps) news->push_back({step, after, rows.empty() ? "" : rows[0][0]});
    return absl::OkStatus();
  }
  void Tell(const std::vector<JobNews>& news) const {
    if (!options_.on_news) return;
    for (const JobNews& one : news) options_.on_news(one);
  }

  static absl::StatusOr<Job> TheOneOfTheSameRequest(SqlTransaction& transaction, const NewJob& asked) {
    ASSIGN_OR_RETURN(const std::vector<Job> there,
                     Jobs(transaction, {SelectJobs("request_id = $1"), {asked.request_id}}));
    if (there.size() == 1 && AskedForTheSame(there[0], asked)) return there[0];
    return MakeError(Reason::kRequestIdReused, absl::StrCat("request_id '", asked.request_id, "' created another job"),
                     {{"request_id", asked.request_id}, {"job", there.empty() ? "" : there[0].id}});
  }

  static absl::StatusOr<JobPage> PageAt(SqlTransaction& transaction, const JobQuery& query, PagePosition position) {
    JobPage page;
    const auto wanted = static_cast<size_t>(query.page_size);
    for (size_t bytes = 0;;) {
      ASSIGN_OR_RETURN(std::vector<Job> part, Jobs(transaction, SelectPage(query.filter, position, kPagePart)));
      const bool is_last = static_cast<int64_t>(part.size()) < kPagePart;
      for (Job& job : part) {
        bytes += job.spec.size() + job.result.size();
        if (page.jobs.size() == wanted || (!page.jobs.empty() && bytes > kMaxPageBytes)) {
          page.next_page_token = MakePageToken(position, query.filter);
          return page;
        }
        position = {ToMicros(job.create_time), job.id};
        page.jobs.push_back(std::move(job));
      }
      if (is_last) return page;
    }
  }

  // Locked; first things first.
  absl::StatusOr<std::vector<Job>> Claimable(SqlTransaction& transaction, const JobClaim& claim, absl::Time now) const {
    const std::set<std::string> kinds(claim.kinds.begin(), claim.kinds.end());
    std::vector<Job> jobs;
    const auto add = [&](SqlStatement select) -> absl::Status {
      select.sql += engine_->dialect().lock_free_rows;
      ASSIGN_OR_RETURN(std::vector<Job> more, Jobs(transaction, select));
      std::move(more.begin(), more.end(), std::back_inserter(jobs));
      return absl::OkStatus();
    };
    for (const std::string& kind : kinds) RETURN_IF_ERROR(add(SelectDue(claim, kind, now)));
    if (jobs.empty()) {
      for (const std::string& kind : kinds) RETURN_IF_ERROR(add(SelectMisdated(claim, kind, now, options_.policy)));
    }
    std::sort(jobs.begin(), jobs.end(), ComesFirst);
    if (static_cast<int64_t>(jobs.size()) > claim.max_jobs) jobs.resize(claim.max_jobs);
    return jobs;
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

  const std::unique_ptr<SqlEngine> engine_;
  const Clock& clock_;
  const JobStoreOptions options_;
  WaitingRoom room_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> MakeSqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock,
                                                          const JobStoreOptions& options) {
  RETURN_IF_ERROR(Validate(options.policy));
  if (options.max_waiting_jobs < 0) {
    return absl::InvalidArgumentError(absl::StrCat("max_waiting_jobs ", options.max_waiting_jobs, " is negative"));
  }
  RETURN_IF_ERROR(Migrate(*engine, JobStoreMigrations()));
  RETURN_IF_ERROR(MoveIn(*engine, options.home));
  return std::make_unique<SqlJobStore>(std::move(engine), clock, options);
}

}  // namespace ddsp::server
