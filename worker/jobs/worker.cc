#include "worker/jobs/worker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "worker/jobs/job_session.h"

namespace ddsp::worker {
namespace {

constexpr absl::Duration kClaimTimeout = absl::Seconds(10), kReleaseTimeout = absl::Seconds(2);

// For a job of a kind that this worker did not ask for.
class NoRunner : public JobRunner {
 public:
  absl::StatusOr<v1::JobResult> Run(const JobContext&) const override {
    return absl::InternalError("this worker does not know how to do that kind of job");
  }
};

}  // namespace

std::string KindOf(const v1::JobSpec& spec) {
  switch (spec.kind_case()) {
    case v1::JobSpec::kTrain:
      return "train";
    case v1::JobSpec::kTransfer:
      return "transfer";
    case v1::JobSpec::kRender:
      return "render";
    case v1::JobSpec::kFeatures:
      return "features";
    case v1::JobSpec::KIND_NOT_SET:
      break;
  }
  return "";
}

Worker::Worker(WorkerOptions options, const RunnerTable& runners, Surroundings surroundings)
    : options_(std::move(options)), runners_(runners), around_(std::move(surroundings)) {}

ExitCode Worker::Run() {
  NextMove move;
  while (move.kind == NextMove::Kind::kClaim) {
    if (around_.pulse) around_.pulse();
    if (!idle_.WaitFor(move.pause)) Turn();
    state_.stopping = idle_.asked();
    move = NextMoveOf(options_.claim, state_);
  }
  if (!state_.error.ok() && move.code != ExitCode::kOk) Say(client::Describe(state_.error));
  return move.code;
}

void Worker::Turn() {
  v1::ClaimJobsRequest request;
  request.set_worker(options_.name);
  for (const std::string& kind : options_.kinds) request.add_kinds(kind);
  request.set_max_jobs(1);
  request.set_name(options_.claim.job);
  const absl::Time asked = around_.clock->Now();
  const absl::StatusOr<std::vector<v1::LeasedJob>> jobs = around_.server.Claim(request, kClaimTimeout);
  state_.claimed = jobs.ok() && !jobs->empty();
  state_.error = jobs.status();
  if (state_.claimed) {
    ++state_.jobs;
    Work(jobs->front(), asked);
  }
  if (jobs.ok() && !options_.claim.job.empty()) {
    const absl::StatusOr<v1::Job> job = around_.server.Get(options_.claim.job, kClaimTimeout);
    state_.error = job.status();
    state_.job_state = job.ok() ? job->state() : v1::JOB_STATE_UNSPECIFIED;
  }
  if (state_.error.ok()) {
    state_.errors_in_a_row = 0;
  } else if (++state_.errors_in_a_row == 1) {
    Say(absl::StrCat("no answer, trying on: ", client::Describe(state_.error)));
  }
}

void Worker::Work(const v1::LeasedJob& leased, absl::Time asked) {
  StopToken stop;
  {
    const MutexLock lock(&mu_);
    current_ = &stop;
    leased_ = leased;
  }
  // A signal that came while the claim was under way.
  if (idle_.asked()) stop.Ask(StopReason::kShutdown);
  const std::unique_ptr<BlobDepot> depot = around_.make_depot(stop);
  JobSession::Options options;
  options.lease = {around_.clock, asked, around_.pulse, around_.log};
  static const NoRunner no_runner;
  const auto runner = runners_.find(KindOf(leased.job().spec()));
  JobSession(around_.server, around_.work_dir, *depot, stop, options)
      .Run(leased, runner == runners_.end() ? static_cast<const JobRunner&>(no_runner) : *runner->second);
  const MutexLock lock(&mu_);
  current_ = nullptr;
}

void Worker::Stop() {
  idle_.Ask(StopReason::kShutdown);
  const MutexLock lock(&mu_);
  if (current_ != nullptr) current_->Ask(StopReason::kShutdown);
}

void Worker::Abandon() {
  v1::ReleaseJobRequest request;
  {
    const MutexLock lock(&mu_);
    if (current_ == nullptr) return;
    request.set_name(leased_.job().name());
    request.set_lease_id(leased_.lease().id());
  }
  around_.server.Release(request, kReleaseTimeout).IgnoreError();
}

void Worker::Say(const std::string& line) const {
  if (around_.log) around_.log(line);
}

}  // namespace ddsp::worker
