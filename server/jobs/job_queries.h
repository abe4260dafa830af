// Which jobs a call is about, as statements.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "server/jobs/job_row.h"
#include "server/jobs/job_store.h"
#include "server/jobs/page_token.h"

namespace ddsp::server {

// The next `count` jobs behind `position`.
SqlStatement SelectPage(const JobFilter& filter, const PagePosition& position, int64_t count);

// Of one kind, those whose time has come, first things first. To be locked.
SqlStatement SelectDue(const JobClaim& claim, const std::string& kind, absl::Time now);
// Of one kind, those whose back-off ends later than any can, and those of the future that were to begin at once: a
// clock was set back. To be locked.
SqlStatement SelectMisdated(const JobClaim& claim, const std::string& kind, absl::Time now, const JobPolicy& policy);

// Running jobs whose lease may be over, without texts. To be locked.
SqlStatement SelectExpired(absl::Time now, const JobPolicy& policy, int64_t max_jobs);

// The ids of finished jobs that ended long ago, and of those beyond the newest so many. To be locked.
SqlStatement SelectOld(absl::Time latest_end, int64_t max_jobs);
SqlStatement SelectSurplus(int64_t max_finished, int64_t max_jobs);

}  // namespace ddsp::server
