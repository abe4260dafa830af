// The store against a model, with clients, workers and servers that do as they please and die when they please.
//
// Theorem: every job that was acknowledged ends exactly once, which is told once; only who holds its lease ends it;
// none is lost. Also where the machine's clock jumps, and where the database gives no answer, having done what it was
// asked or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "server/errors/errors.h"
#include "server/jobs/job_store.h"
#include "tests/server/jobs/test_database.h"

namespace ddsp::server {
namespace {

enum class Trouble { kNone, kClockJumps, kLostAnswers };

// Every few transactions a database that says that it is away: before it did anything, or after.
class FlakyEngine : public SqlEngine {
 public:
  FlakyEngine(std::unique_ptr<SqlEngine> engine, std::mt19937_64* random)
      : engine_(std::move(engine)), random_(*random) {}
  absl::Status Transact(const Body& body) override {
    if (random_() % 8 == 0) return Away();
    const absl::Status done = engine_->Transact(body);
    return done.ok() && random_() % 8 == 0 ? Away() : done;
  }
  const SqlDialect& dialect() const override { return engine_->dialect(); }
  ChangeHub& changes() override { return engine_->changes(); }

 private:
  static absl::Status Away() { return MakeError(Reason::kJobStoreUnavailable, "the answer is lost"); }
  const std::unique_ptr<SqlEngine> engine_;
  std::mt19937_64& random_;
};

class JobStorePropertyTest : public testing::TestWithParam<std::tuple<EngineKind, Trouble>> {
 protected:
  // What the test knows of a job, by other means than Next().
  struct Known {
    std::string request_id;
    std::string holder;  // the newest lease; older ones are void
    int64_t checkpoint = 0;
    std::optional<JobState> end;
    int told = 0;  // how often it was told that it has ended
  };
  struct Lease {
    std::string job;
    std::string id;
  };

  void SetUp() override {
    if (Engine() == EngineKind::kPostgres && SharedPostgres() == nullptr) {
      GTEST_SKIP() << "Debian's package postgresql is not installed";
    }
    database_ = std::make_unique<TestDatabase>(Engine());
    clock_.Advance(absl::Hours(24 * 365 * 50));
    OpenAgain();
  }
  static EngineKind Engine() { return std::get<0>(GetParam()); }
  static bool Has(Trouble trouble) { return std::get<1>(GetParam()) == trouble; }

  void OpenAgain() {
    store_.reset();
    JobStoreOptions options{.policy = {.max_failures = 4}};
    options.on_end = [this](const Job& job) { ++known_.at(job.id).told; };
    const auto open = [&]() -> absl::StatusOr<std::unique_ptr<JobStore>> {
      auto engine = OpenEngine(Engine(), database_->place());
      if (!engine.ok()) return engine.status();
      if (!Has(Trouble::kLostAnswers)) return MakeSqlJobStore(*std::move(engine), clock_, options);
      return MakeSqlJobStore(std::make_unique<FlakyEngine>(*std::move(engine), &random_), clock_, options);
    };
    auto store = UntilItAnswers(open);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  // As clients and workers do.
  template <typename Call>
  auto UntilItAnswers(const Call& call) -> decltype(call()) {
    auto answer = call();
    while (ReasonOf(answer.status()) == "JOB_STORE_UNAVAILABLE") answer = call();
    return answer;
  }
  uint64_t Any(uint64_t below) { return random_() % below; }

  void Create() {
    const std::string request = absl::StrCat("r", Any(40));
    const NewJob asked{.request_id = request, .kind = "train", .priority = int64_t(Any(3))};
    const auto job = UntilItAnswers([&] { return store_->Create(asked); });
    // The same request with another priority is refused; neither makes a second job.
    if (!job.ok()) {
      EXPECT_EQ(ReasonOf(job.status()), "REQUEST_ID_REUSED");
      return;
    }
    const auto [known, is_new] = known_.insert({job->id, {.request_id = request}});
    if (is_new) {
      EXPECT_TRUE(requests_.insert(request).second) << "a second job of one request";
    }
  }
  void Claim() {
    const JobClaim claim{.worker = "w", .kinds = {"train"}, .max_jobs = int64_t(1 + Any(3))};
    const auto jobs = UntilItAnswers([&] { return store_->Claim(claim); });
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    for (const Job& job : *jobs) {
      Known& known = known_.at(job.id);
      EXPECT_FALSE(known.end.has_value()) << job.id << " was over";
      EXPECT_EQ(job.checkpoint.step, known.checkpoint) << "work was lost";
      known.holder = job.lease_id;
      leases_.push_back({job.id, job.lease_id});
    }
  }
  // Some worker that has, or had, a lease says something.
  void Tell() {
    if (leases_.empty()) return;
    const Lease lease = leases_[Any(leases_.size())];
    Known& known = known_.at(lease.job);
    const uint64_t what = Any(8);
    JobEvent event = JobHeartbeat{.lease_id = lease.id};
    if (what < 3) event = JobHeartbeat{.lease_id = lease.id, .checkpoint = JobCheckpoint{known.checkpoint + 1, "blob"}};
    if (what == 4) event = JobCompleted{lease.id, "{}"};
    if (what == 5) event = JobAttemptFailed{lease.id, "oops"};
    if (what == 6) event = JobReleased{lease.id};
    const auto job = UntilItAnswers([&] { return store_->Apply(lease.job, event); });
    if (lease.id != known.holder) {
      EXPECT_EQ(ReasonOf(job.status()), "LEASE_LOST") << lease.job;
    }
    if (!job.ok()) return;
    if (what < 3) {
      EXPECT_EQ(job->checkpoint.step, ++known.checkpoint);
    }
    See(*job);
  }
  void Cancel() {
    if (known_.empty()) return;
    const std::string id = std::next(known_.begin(), Any(known_.size()))->first;
    const auto job = UntilItAnswers([&] { return store_->Apply(id, JobCancelled{}); });
    ASSERT_TRUE(job.ok()) << job.status();
    See(*job);
  }
  // An end is for ever.
  void See(const Job& job) {
    Known& known = known_.at(job.id);
    if (known.end.has_value()) {
      EXPECT_EQ(job.state, *known.end) << job.id;
    }
    if (IsFinished(job.state)) known.end = job.state;
  }
  void SeeAll() {
    std::set<std::string> listed;
    JobQuery query{.page_size = 7};
    do {
      const auto page = UntilItAnswers([&] { return store_->List(query); });
      ASSERT_TRUE(page.ok()) << page.status();
      for (const Job& job : page->jobs) {
        ASSERT_TRUE(known_.contains(job.id));
        EXPECT_TRUE(listed.insert(job.id).second);
        See(job);
      }
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    EXPECT_EQ(listed.size(), known_.size()) << "a job is lost";
  }
  void Step() {
    const uint64_t what = Any(100);
    if (what < 15) return Create();
    if (what < 40) return Claim();
    if (what < 80) return Tell();
    if (what < 83) return Cancel();
    if (what < 85) return OpenAgain();
    if (what < 87) return SeeAll();
    if (Has(Trouble::kClockJumps) && what > 97) return Jump();
    clock_.Advance(absl::Seconds(Any(6)));
    Expire();
  }
  void Expire() {
    const auto expired = UntilItAnswers([&] { return store_->ExpireLeases(); });
    EXPECT_TRUE(expired.ok()) << expired.status();
  }
  // By seconds, hours or years, and back.
  void Jump() {
    const absl::Duration far[] = {absl::Seconds(15), absl::Minutes(7), absl::Hours(30), absl::Hours(24 * 400)};
    const absl::Duration by = far[Any(4)];
    clock_.Advance(Any(2) == 0 && clock_.Now() - by > absl::UnixEpoch() ? -by : by);
  }

  std::unique_ptr<TestDatabase> database_;
  SimClock clock_;
  std::unique_ptr<JobStore> store_;
  std::mt19937_64 random_{42};
  std::map<std::string, Known> known_;
  std::set<std::string> requests_;
  std::vector<Lease> leases_;
};

TEST_P(JobStorePropertyTest, EveryJobEndsExactlyOnce) {
  for (int step = 0; step < 1500 && !HasFatalFailure(); ++step) Step();
  ASSERT_GT(known_.size(), 30u);
  // All workers die; then one that does its work. Who was put off by a clock that was ahead waits for two days.
  for (int round = 0; round < 60; ++round) {
    clock_.Advance(absl::Hours(1));
    Expire();
    const JobClaim claim{.worker = "good", .kinds = {"train"}, .max_jobs = 100};
    const auto jobs = UntilItAnswers([&] { return store_->Claim(claim); });
    ASSERT_TRUE(jobs.ok());
    for (const Job& job : *jobs) {
      known_.at(job.id).holder = job.lease_id;
      See(*UntilItAnswers([&] { return store_->Apply(job.id, JobCompleted{job.lease_id, "{}"}); }));
    }
  }
  SeeAll();
  std::map<JobState, int> ends;
  for (const auto& [id, known] : known_) {
    EXPECT_TRUE(known.end.has_value()) << id << " never ended";
    if (known.end.has_value()) ++ends[*known.end];
    // Of an end whose commit nobody acknowledged nobody is told.
    EXPECT_LE(known.told, 1) << id;
    if (!Has(Trouble::kLostAnswers)) {
      EXPECT_EQ(known.told, 1) << id;
    }
  }
  EXPECT_GT(ends[JobState::kSucceeded], 0);
  EXPECT_GT(ends[JobState::kCancelled], 0);
}

std::string NameOf(Trouble trouble) {
  return trouble == Trouble::kNone ? "" : trouble == Trouble::kClockJumps ? "_clock_jumps" : "_lost_answers";
}

INSTANTIATE_TEST_SUITE_P(Engines, JobStorePropertyTest,
                         testing::Combine(testing::Values(EngineKind::kSqlite, EngineKind::kPostgres),
                                          testing::Values(Trouble::kNone, Trouble::kClockJumps, Trouble::kLostAnswers)),
                         [](const auto& info) {
                           return std::string(NameOf(std::get<0>(info.param))) + NameOf(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace ddsp::server
