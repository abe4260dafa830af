#include "server/jobs/job_queries.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

// Adds a value and names it in the statement.
std::string Bind(SqlValue value, std::vector<SqlValue>* values) {
  values->push_back(std::move(value));
  return absl::StrCat("$", values->size());
}

// "(0, 5)"
std::string StateList(const std::vector<JobState>& states) {
  std::string list;
  for (const JobState state : states) absl::StrAppend(&list, list.empty() ? "(" : ", ", static_cast<int>(state));
  return list + ")";
}

// `time` is a condition, of `times` as $2, $3, ...; the index jobs_waiting has what it asks for.
SqlStatement SelectWaiting(const JobClaim& claim, const std::string& kind, const std::string& time,
                           const std::vector<absl::Time>& times) {
  SqlStatement select{.values = {kind}};
  for (const absl::Time at : times) select.values.emplace_back(ToMicros(at));
  std::string where = absl::StrCat("state IN (0, 2) AND kind = $1 AND ", time);
  if (!claim.job_id.empty()) absl::StrAppend(&where, " AND id = ", Bind(claim.job_id, &select.values));
  select.sql =
      SelectJobs(absl::StrCat(where, " ORDER BY priority, run_us, id LIMIT ", Bind(claim.max_jobs, &select.values)));
  return select;
}

}  // namespace

SqlStatement SelectPage(const JobFilter& filter, const PagePosition& position, int64_t count) {
  SqlStatement select{.values = {position.create_us, position.id}};
  std::string where = "(create_us, id) < ($1, $2)";
  if (!filter.states.empty()) absl::StrAppend(&where, " AND state IN ", StateList(filter.states));
  if (!filter.kind.empty()) absl::StrAppend(&where, " AND kind = ", Bind(filter.kind, &select.values));
  if (!filter.display_name.empty()) {
    absl::StrAppend(&where, " AND display_name = ", Bind(filter.display_name, &select.values));
  }
  select.sql = SelectJobs(absl::StrCat(where, " ORDER BY create_us DESC, id DESC LIMIT ", Bind(count, &select.values)));
  return select;
}

SqlStatement SelectDue(const JobClaim& claim, const std::string& kind, absl::Time now) {
  return SelectWaiting(claim, kind, "run_us <= $2", {now});
}

SqlStatement SelectMisdated(const JobClaim& claim, const std::string& kind, absl::Time now, const JobPolicy& policy) {
  return SelectWaiting(claim, kind,
                       // FarBackOff(), and jobs of the future that were to begin at once.
                       "((state = 2 AND (run_us > $2 OR run_us > $3 + 3000000 * failures * failures * failures * "
                       "failures)) OR (state = 0 AND run_us = create_us AND run_us > $4))",
                       {now + 2 * policy.max_back_off, now + absl::Seconds(10), now});
}

SqlStatement SelectExpired(absl::Time now, const JobPolicy& policy, int64_t max_jobs) {
  return {SelectJobRows("state = 1 AND (lease_expire_us <= $1 OR lease_expire_us > $2) ORDER BY id LIMIT $3"),
          {ToMicros(now), ToMicros(now + 2 * policy.lease), max_jobs}};
}

SqlStatement SelectOld(absl::Time latest_end, int64_t max_jobs) {
  return {"SELECT id FROM jobs WHERE state IN (3, 4, 5) AND end_us <= $1 ORDER BY end_us, id LIMIT $2",
          {ToMicros(latest_end), max_jobs}};
}

SqlStatement SelectSurplus(int64_t max_finished, int64_t max_jobs) {
  return {"SELECT id FROM jobs WHERE state IN (3, 4, 5) ORDER BY end_us DESC, id DESC LIMIT $1 OFFSET $2",
          {max_jobs, max_finished}};
}

}  // namespace ddsp::server
