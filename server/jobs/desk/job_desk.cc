#include "server/jobs/desk/job_desk.h"

#include <array>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/thread_scheduling.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/errors/errors.h"
#include "server/jobs/desk/job_journal.h"
#include "server/jobs/desk/metered_job_store.h"
#include "server/jobs/desk/spec_check.h"
#include "server/jobs/postgres_engine.h"
#include "server/jobs/random_id.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"
#include "server/rpc/jobs_service.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kRound = absl::Seconds(1);
// Calls that answer once wait for a disk or a database most of the time.
constexpr int kWorkThreads = 4;
constexpr size_t kMaxWaiting = 4096;
// As many as there can be calls.
constexpr size_t kMaxFollowing = 1'000'000;
// Of the thread that publishes: live sessions go before golden tests.
constexpr int kNiceness = 10;

absl::Status AtFlag(const absl::Status& status, const char* flag, const std::string& value) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(flag, value.empty() ? "" : absl::StrCat(" '", value, "'"), ": ", status.message()));
}

// A voice must not come from two places under one name.
absl::Status CheckApart(const JobDeskOptions& options) {
  std::error_code error;
  if (!fs::equivalent(options.models_folder(), options.bundled_repository, error)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("its models are --model-repository '", options.bundled_repository,
                                                 "' itself; name another directory"));
}

// An address may hold a password: it is not repeated.
absl::StatusOr<std::unique_ptr<SqlEngine>> OpenDatabase(const JobDeskOptions& options) {
  if (options.database.empty()) return OpenSqlite({.path = options.data_dir + "/jobs.sqlite"});
  return OpenPostgres({.connection = options.database, .max_connections = kWorkThreads + 2});
}

// Which data dir this is: a name that lies among its bytes, and moves with them.
absl::StatusOr<JobHome> HomeOf(const std::string& data_dir) {
  const std::string file = data_dir + "/blobs/ID";
  absl::StatusOr<std::string> id = ReadFile(file);
  if (absl::IsNotFound(id.status())) {
    id = RandomId(16) + "\n";
    RETURN_IF_ERROR(WriteFileAtomically(file, *id));
  }
  RETURN_IF_ERROR(id.status());
  std::array<char, 256> host = {};
  gethostname(host.data(), host.size() - 1);
  std::error_code error;
  return JobHome{std::string(absl::StripAsciiWhitespace(*id)),
                 absl::StrCat(host.data(), ":", fs::absolute(data_dir, error).string())};
}

absl::StatusOr<std::unique_ptr<JobStore>> OpenStore(const JobDeskOptions& options, JobMetrics& metrics,
                                                    const JobDesk::Surroundings& surroundings) {
  JobStoreOptions store_options{.policy = options.policy, .max_waiting_jobs = options.max_queued_jobs};
  store_options.on_end = CountEnds(metrics);
  store_options.on_news = TellNews(surroundings.log);
  // A file in the data dir is there with its bytes.
  if (!options.database.empty()) {
    ASSIGN_OR_RETURN(store_options.home, HomeOf(options.data_dir));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<SqlEngine> engine, OpenDatabase(options));
  ASSIGN_OR_RETURN(std::unique_ptr<JobStore> store,
                   MakeSqlJobStore(std::move(engine), surroundings.clock, store_options));
  return std::make_unique<MeteredJobStore>(std::move(store), metrics);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobDesk>> JobDesk::Open(const JobDeskOptions& options,
                                                       const Surroundings& surroundings) {
  const auto at_data_dir = [&](const absl::Status& status) { return AtFlag(status, "--data-dir", options.data_dir); };
  auto blobs = BlobStore::Open({.folder = options.data_dir, .quota = options.blob_quota_bytes}, surroundings.clock);
  RETURN_IF_ERROR(at_data_dir(blobs.status()));
  auto metrics = std::make_unique<JobMetrics>(surroundings.metrics.registry());
  auto publisher = VoicePublisher::Open({.folder = options.models_folder(), .log = surroundings.log}, **blobs,
                                        surroundings.models, *metrics);
  RETURN_IF_ERROR(at_data_dir(publisher.status()));
  RETURN_IF_ERROR(at_data_dir(CheckApart(options)));
  auto store = OpenStore(options, *metrics, surroundings);
  RETURN_IF_ERROR(options.database.empty() ? at_data_dir(store.status())
                                           : AtFlag(store.status(), "--job-database", ""));
  return std::unique_ptr<JobDesk>(new JobDesk(options, surroundings, std::move(metrics), *std::move(blobs),
                                              *std::move(store), *std::move(publisher)));
}

JobDesk::JobDesk(const JobDeskOptions& options, const Surroundings& surroundings, std::unique_ptr<JobMetrics> metrics,
                 std::unique_ptr<BlobStore> blobs, std::unique_ptr<JobStore> store,
                 std::unique_ptr<VoicePublisher> publisher)
    : options_(options),
      clock_(surroundings.clock),
      metrics_(std::move(metrics)),
      blobs_(std::move(blobs)),
      store_(std::move(store)),
      publisher_(std::move(publisher)),
      keeper_({.period = kRound,
               .blob_quota_bytes = options.blob_quota_bytes,
               .retention = options.retention,
               .log = surroundings.log},
              *store_, *blobs_, *metrics_, clock_),
      work_({.threads = kWorkThreads, .max_waiting = kMaxWaiting}),
      following_({.threads = 1, .max_waiting = kMaxFollowing}),
      publishing_({.threads = 1, .max_waiting = kMaxWaiting}),
      ticker_("ddsp-jobs", kRound, [this] { keeper_.Round(); }) {
  (void)publishing_.Post([] { LetOthersGoFirst(kNiceness); });
}

void JobDesk::AddMethods(MethodTable* methods) {
  AddJobsMethods({.jobs = *store_,
                  .blobs = *blobs_,
                  .policy = options_.policy,
                  .work = work_,
                  .following = following_,
                  .publishing = publishing_,
                  .clock = clock_,
                  .check_spec = MakeSpecCheck(options_.bundled_repository, options_.models_folder()),
                  .publisher = publisher_.get()},
                 methods);
}

namespace {

class RefusedCall : public CallHandler {
 public:
  explicit RefusedCall(Call& call) {
    call.Finish(MakeError(Reason::kJobsDisabled, "this server keeps no jobs; it was started without --data-dir"));
  }
  void OnRead(grpc::ByteBuffer*) override {}
};

}  // namespace

void AddNoJobsMethods(MethodTable* methods) {
  const auto* const service = v1::Job::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    methods->Add(service->full_name(), service->method(i)->name(),
                 [](Call& call) { return std::make_unique<RefusedCall>(call); });
  }
}

}  // namespace ddsp::server
