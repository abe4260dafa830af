// What every store does, whatever its engine.
#include "server/jobs/job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/errors/errors.h"
#include "server/jobs/migrations.h"
#include "tests/server/jobs/test_database.h"

namespace ddsp::server {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class JobStoreTest : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    if (GetParam() == EngineKind::kPostgres && SharedPostgres() == nullptr) {
      GTEST_SKIP() << "Debian's package postgresql is not installed";
    }
    database_ = std::make_unique<TestDatabase>(GetParam());
    clock_.Advance(absl::Hours(24 * 365 * 50));
    store_ = Open();
  }

  std::unique_ptr<JobStore> Open(const JobStoreOptions& options = {}) {
    auto store = OpenStore(GetParam(), database_->place(), clock_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  Job Create(const std::string& request_id, int64_t priority = 0, const std::string& kind = "train") {
    auto job = store_->Create({.request_id = request_id, .kind = kind, .spec = "{}", .priority = priority});
    EXPECT_TRUE(job.ok()) << job.status();
    clock_.Advance(absl::Seconds(1));
    return *job;
  }
  std::vector<Job> Claim(int64_t max_jobs = 1, const std::string& kind = "train") {
    auto jobs = store_->Claim({.worker = "w", .kinds = {kind}, .max_jobs = max_jobs});
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    return *std::move(jobs);
  }
  std::vector<std::string> RequestsOf(const std::vector<Job>& jobs) {
    std::vector<std::string> ids;
    for (const Job& job : jobs) ids.push_back(job.request_id);
    return ids;
  }

  std::unique_ptr<TestDatabase> database_;
  SimClock clock_;
  std::unique_ptr<JobStore> store_;
};

// What happens to jobs is told once each, with whose it is.
TEST_P(JobStoreTest, TellsTheNews) {
  std::vector<std::string> news;
  const auto take = [&] { return std::exchange(news, {}); };
  JobStoreOptions options;
  options.on_news = [&](const JobNews& told) {
    news.push_back(absl::StrCat(std::string(NameOf(told.step)), " ", told.tenant, " ", told.job.attempts));
  };
  store_ = Open(options);
  const NewJob asked{.request_id = "r", .kind = "train", .spec = "{}", .owner = {.tenant = "studio"}};
  const std::string id = store_->Create(asked)->id;
  ASSERT_TRUE(store_->Create(asked).ok());
  EXPECT_THAT(take(), ElementsAre("created studio 0")) << "the same request makes no job";
  Claim();
  ASSERT_TRUE(store_->Apply(id, JobReleased{store_->Get(id)->lease_id}).ok());
  EXPECT_THAT(take(), ElementsAre("claimed studio 1", "released studio 1"));
  std::string lease = Claim().at(0).lease_id;
  ASSERT_TRUE(store_->Heartbeat(id, {.lease_id = lease}, {}).ok());
  ASSERT_TRUE(store_->Apply(id, JobAttemptFailed{lease, "oops"}).ok());
  ASSERT_TRUE(store_->Apply(id, JobAttemptFailed{lease, "oops"}).ok()) << "told twice";
  EXPECT_THAT(take(), ElementsAre("claimed studio 2", "attempt_failed studio 2"));
  clock_.Advance(absl::Minutes(1));
  Claim();
  ASSERT_TRUE(store_->Apply(id, JobCancelled{}).ok());
  ASSERT_TRUE(store_->Apply(id, JobCancelled{}).ok());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*store_->ExpireLeases(), 1);
  EXPECT_THAT(take(), ElementsAre("claimed studio 3", "cancel_requested studio 3", "lease_lost studio 3",
                                  "cancelled studio 3"));
  Create("nobody's");
  ASSERT_TRUE(store_->Apply(Claim().at(0).id, JobCompleted{}).status().code() == absl::StatusCode::kAborted);
  EXPECT_THAT(take(), ElementsAre("created  0", "claimed  1"));
}

TEST_P(JobStoreTest, KeepsWhatWasCreated) {
  const NewJob asked{.request_id = "r",
                     .kind = "train",
                     .display_name = "C\xc3\xa9line's \"cello\"",
                     .spec = "{\"a\":\n\t'1; DROP TABLE jobs'}",
                     .priority = -3};
  const auto job = store_->Create(asked);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_THAT(job->id, testing::StartsWith("train-"));
  EXPECT_EQ(job->state, JobState::kQueued);
  EXPECT_EQ(job->display_name, asked.display_name);
  EXPECT_EQ(job->spec, asked.spec);
  EXPECT_EQ(job->create_time, clock_.Now());
  EXPECT_EQ(*store_->Get(job->id), *job);
  store_.reset();
  EXPECT_EQ(*Open()->Get(job->id), *job);
}

TEST_P(JobStoreTest, OneRequestCreatesOneJob) {
  const Job job = Create("r");
  EXPECT_EQ(*store_->Create({.request_id = "r", .kind = "train", .spec = "{}"}), job);
  const auto other = store_->Create({.request_id = "r", .kind = "train", .spec = "{\"steps\": 1}"});
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(MetadataOf(other.status()), (ErrorMetadata{{"job", job.id}, {"request_id", "r"}}));
  EXPECT_THAT(store_->List({})->jobs, SizeIs(1));
}

TEST_P(JobStoreTest, RefusesWhatCannotBeKept) {
  EXPECT_EQ(ReasonOf(store_->Create({.request_id = "r", .kind = "no kind"}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->Get("nobody").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(store_->Get("\xff").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(store_->Apply("nobody", JobCancelled{}).status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(store_->List({.page_size = 0}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->List({.page_size = 1001}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->List({.filter = {.kind = "\xff"}}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->Claim({.worker = "w"}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->Claim({.worker = "", .kinds = {"train"}}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(ReasonOf(store_->Claim({.worker = "w", .kinds = {"train"}, .max_jobs = 0}).status()),
            "INVALID_JOB_REQUEST");
  const Job job = Create("r");
  EXPECT_EQ(ReasonOf(store_->Apply(job.id, JobClaimed{"w", "l"}).status()), "INVALID_JOB_REQUEST");
  const auto bad = store_->Apply(job.id, JobHeartbeat{.lease_id = "l", .progress = JobProgress{-1}});
  EXPECT_THAT(std::string(bad.status().message()), HasSubstr("progress.done -1"));
}

TEST_P(JobStoreTest, ListsNewestFirstPageByPage) {
  for (int i = 0; i < 5; ++i) Create(absl::StrCat("r", i));
  const JobPage first = *store_->List({.page_size = 2});
  EXPECT_THAT(RequestsOf(first.jobs), ElementsAre("r4", "r3"));
  Create("late");
  const JobPage second = *store_->List({.page_size = 2, .page_token = first.next_page_token});
  EXPECT_THAT(RequestsOf(second.jobs), ElementsAre("r2", "r1"));
  const JobPage last = *store_->List({.page_size = 2, .page_token = second.next_page_token});
  EXPECT_THAT(RequestsOf(last.jobs), ElementsAre("r0"));
  EXPECT_EQ(last.next_page_token, "");
}

TEST_P(JobStoreTest, PagesPartJobsOfOneMoment) {
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(store_->Create({.request_id = absl::StrCat("r", i), .kind = "train"}).ok());
  }
  std::set<std::string> seen;
  JobQuery query{.page_size = 3};
  do {
    const JobPage page = *store_->List(query);
    for (const Job& job : page.jobs) EXPECT_TRUE(seen.insert(job.id).second);
    query.page_token = page.next_page_token;
  } while (!query.page_token.empty());
  EXPECT_THAT(seen, SizeIs(7));
}

TEST_P(JobStoreTest, ListsWhatAFilterAsksFor) {
  Create("a");
  const Job cancelled = Create("b");
  Create("c", 0, "render");
  ASSERT_TRUE(store_->Apply(cancelled.id, JobCancelled{}).ok());
  const auto list = [&](const char* filter) {
    return RequestsOf(store_->List({.filter = *ParseJobFilter(filter)})->jobs);
  };
  EXPECT_THAT(list("state = CANCELLED"), ElementsAre("b"));
  EXPECT_THAT(list("done = false"), ElementsAre("c", "a"));
  EXPECT_THAT(list("done = false AND kind = train"), ElementsAre("a"));
  EXPECT_THAT(list("display_name = nothing"), IsEmpty());
}

TEST_P(JobStoreTest, ClaimsByPriorityThenAge) {
  Create("old");
  Create("nice", 5);
  Create("new");
  Create("urgent", -5);
  EXPECT_THAT(RequestsOf(Claim(2)), ElementsAre("urgent", "old"));
  EXPECT_THAT(RequestsOf(Claim(9)), ElementsAre("new", "nice"));
  EXPECT_THAT(Claim(9), IsEmpty());
}

TEST_P(JobStoreTest, ClaimsOnlyTheKindsAskedFor) {
  Create("a", 0, "train");
  Create("b", 0, "render");
  EXPECT_THAT(RequestsOf(Claim(9, "render")), ElementsAre("b"));
  EXPECT_THAT(Claim(9, "features"), IsEmpty());
}

TEST_P(JobStoreTest, ClaimsOneJobByItsId) {
  Create("a");
  const Job wanted = Create("b");
  const auto claimed = store_->Claim({.worker = "w", .kinds = {"train"}, .job_id = wanted.id});
  EXPECT_THAT(RequestsOf(*claimed), ElementsAre("b"));
}

TEST_P(JobStoreTest, ClaimsNothingBeforeItsTime) {
  ASSERT_TRUE(store_->Create({.request_id = "later", .kind = "train", .run_time = clock_.Now() + absl::Hours(1)}).ok());
  EXPECT_THAT(Claim(), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(RequestsOf(Claim()), ElementsAre("later"));
}

TEST_P(JobStoreTest, AJobIsDoneInTheEnd) {
  const Job job = Create("r");
  const Job claimed = Claim().at(0);
  EXPECT_EQ(claimed.id, job.id);
  EXPECT_THAT(claimed.lease_id, SizeIs(32));
  clock_.Advance(absl::Seconds(2));
  const JobProgress progress{.done = 100, .total = 1000, .metrics = "{\"loss\": 4.25}"};
  const auto beaten = store_->Apply(
      job.id, JobHeartbeat{claimed.lease_id, progress, JobCheckpoint{.step = 100, .blob = std::string(64, 'a')}});
  ASSERT_TRUE(beaten.ok()) << beaten.status();
  EXPECT_EQ(beaten->progress, progress);
  EXPECT_EQ(*store_->Get(job.id), *beaten);
  const auto done = store_->Apply(job.id, JobCompleted{claimed.lease_id, "{\"model\": \"my-cello/1\"}"});
  EXPECT_EQ(done->state, JobState::kSucceeded);
  EXPECT_EQ(*store_->Apply(job.id, JobCompleted{claimed.lease_id, "{\"model\": \"my-cello/1\"}"}), *done);
  EXPECT_EQ(*store_->Get(job.id), *done);
  EXPECT_THAT(Claim(), IsEmpty());
}

TEST_P(JobStoreTest, ACancellationReachesTheWorkerWithItsHeartbeat) {
  const Job job = Create("r");
  const std::string lease = Claim().at(0).lease_id;
  EXPECT_FALSE(store_->Apply(job.id, JobHeartbeat{.lease_id = lease})->cancel_requested);
  EXPECT_EQ(store_->Apply(job.id, JobCancelled{})->state, JobState::kRunning);
  EXPECT_TRUE(store_->Apply(job.id, JobHeartbeat{.lease_id = lease})->cancel_requested);
  EXPECT_EQ(store_->Apply(job.id, JobAttemptFailed{lease, "stopped"})->state, JobState::kCancelled);
}

TEST_P(JobStoreTest, AnotherWorkerGoesOnFromTheCheckpoint) {
  const Job job = Create("r");
  const std::string lost = Claim().at(0).lease_id;
  const JobCheckpoint checkpoint{.step = 7, .blob = std::string(64, 'b')};
  ASSERT_TRUE(store_->Apply(job.id, JobHeartbeat{.lease_id = lost, .checkpoint = checkpoint}).ok());
  clock_.Advance(absl::Seconds(10) - absl::Microseconds(1));
  EXPECT_EQ(*store_->ExpireLeases(), 0);
  clock_.Advance(absl::Microseconds(1));
  EXPECT_EQ(*store_->ExpireLeases(), 1);
  EXPECT_EQ(*store_->ExpireLeases(), 0);
  EXPECT_THAT(Claim(), IsEmpty()) << "the back-off";
  clock_.Advance(absl::Seconds(2));
  const Job again = Claim().at(0);
  EXPECT_EQ(again.checkpoint, checkpoint);
  EXPECT_EQ(again.attempts, 2);
  EXPECT_EQ(ReasonOf(store_->Apply(job.id, JobHeartbeat{.lease_id = lost}).status()), "LEASE_LOST");
  EXPECT_EQ(ReasonOf(store_->Apply(job.id, JobCompleted{lost, "{}"}).status()), "LEASE_LOST");
  EXPECT_TRUE(store_->Apply(job.id, JobCompleted{again.lease_id, "{}"}).ok());
}

TEST_P(JobStoreTest, KeepsTheNewestLinesOfALog) {
  store_ = Open({.max_log_lines = 3});
  const Job job = Create("r");
  const std::string lease = Claim().at(0).lease_id;
  ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease}, {"a", "b"}).ok());
  ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease}, {"c", "d"}).ok());
  const auto lines = store_->ReadLog(job.id, 2, 10);
  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_THAT(*lines, SizeIs(2));
  EXPECT_EQ((*lines)[0].number, 3);
  EXPECT_EQ((*lines)[1].text, "d");
  EXPECT_EQ((*lines)[1].time, clock_.Now());
  EXPECT_THAT(*store_->ReadLog(job.id, 0, 10), SizeIs(3));
  EXPECT_THAT(*store_->ReadLog(job.id, 0, 1), SizeIs(1));
  EXPECT_EQ(ReasonOf(store_->Heartbeat(job.id, {.lease_id = "other"}, {"x"}).status()), "LEASE_LOST");
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(ReasonOf(store_->Heartbeat(job.id, {.lease_id = lease}, {"\xff"}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(store_->Get(job.id)->lease_expire_time, clock_.Now() + absl::Seconds(10)) << "the lease went on";
  EXPECT_EQ(ReasonOf(store_->ReadLog("nobody", 0, 1).status()), "JOB_NOT_FOUND");
}

TEST_P(JobStoreTest, AHeartbeatSaysWhatItHasReplaced) {
  const Job job = Create("r");
  const std::string lease = Claim().at(0).lease_id, a(64, 'a'), b(64, 'b'), c(64, 'c');
  const auto beat = [&](const JobCheckpoint& checkpoint, const std::string& example) {
    const JobProgress progress{.examples = absl::StrCat("[{\"sha256\": \"", example, "\"}]")};
    return store_->Heartbeat(job.id, {lease, progress, checkpoint}, {})->superseded;
  };
  EXPECT_THAT(beat({1, a}, b), IsEmpty());
  EXPECT_THAT(beat({2, c}, b), ElementsAre(a));
  EXPECT_THAT(beat({2, a}, a), ElementsAre(b)) << "a checkpoint that is not newer";
  EXPECT_EQ(store_->Get(job.id)->checkpoint, (JobCheckpoint{2, c}));
  EXPECT_THAT(*store_->NeededBlobs({a, b, c}), testing::UnorderedElementsAre(a, c));
}

TEST_P(JobStoreTest, KnowsWhichBlobsJobsNeed) {
  const auto digest = [](int i) {
    return absl::StrCat(absl::StrCat(i), std::string(64 - absl::StrCat(i).size(), 'f'));
  };
  std::string spec;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&spec, "\"", digest(i), "\",");
  const Job job = *store_->Create({.request_id = "r", .kind = "train", .spec = spec});
  std::vector<std::string> asked;
  for (int i = 100; i < 300; ++i) asked.push_back(digest(i));
  EXPECT_THAT(*store_->NeededBlobs(asked), SizeIs(100));
  EXPECT_THAT(*store_->NeededBlobs({}), IsEmpty());
  const std::string lease = Claim().at(0).lease_id, checkpoint(64, 'c'), result(64, 'd');
  ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease, .checkpoint = JobCheckpoint{1, checkpoint}}, {}).ok());
  EXPECT_THAT(*store_->NeededBlobs({checkpoint, result}), ElementsAre(checkpoint));
  ASSERT_TRUE(store_->Apply(job.id, JobCompleted{lease, absl::StrCat("{\"", result, "\"}")}).ok());
  EXPECT_THAT(*store_->NeededBlobs({checkpoint, result, digest(7)}), testing::UnorderedElementsAre(result, digest(7)));
}

// However long it takes; a job that is retried goes on with them.
TEST_P(JobStoreTest, OutputsAreHeldUntilTheirJobEnds) {
  store_ = Open({.policy = {.max_failures = 3}});
  const Job job = Create("r");
  std::vector<std::string> outputs;
  for (int i = 0; i < 9; ++i) outputs.push_back(std::string(64, static_cast<char>('0' + i)));
  const auto held = [&] { return store_->NeededBlobs(outputs)->size(); };
  std::string lease = Claim().at(0).lease_id;
  ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease, .outputs = {outputs[0], outputs[1]}}, {}).ok());
  ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease, .outputs = {outputs[1]}}, {}).ok()) << "told twice";
  EXPECT_EQ(held(), 2u);
  EXPECT_EQ(ReasonOf(store_->Heartbeat(job.id, {.lease_id = "other", .outputs = {outputs[8]}}, {}).status()),
            "LEASE_LOST");
  clock_.Advance(absl::Hours(1));
  ASSERT_EQ(*store_->ExpireLeases(), 1);
  clock_.Advance(absl::Hours(1));
  lease = Claim().at(0).lease_id;
  ASSERT_TRUE(
      store_->Apply(job.id, JobHeartbeat{.lease_id = lease, .outputs = {outputs.begin(), outputs.end() - 1}}).ok());
  EXPECT_EQ(held(), 8u);
  ASSERT_TRUE(store_->Apply(job.id, JobCompleted{lease, "[\"" + outputs[3] + "\"]"}).ok());
  EXPECT_THAT(*store_->NeededBlobs(outputs), ElementsAre(outputs[3])) << "the result";
}

TEST_P(JobStoreTest, OutputsOfJobsThatEndWithoutAResultAreLetGo) {
  store_ = Open({.policy = {.max_failures = 1}});
  const std::string output(64, 'a');
  const auto held = [&] { return !store_->NeededBlobs({output})->empty(); };
  for (const char* const end : {"cancelled", "failed", "expired"}) {
    const Job job = Create(end);
    const std::string lease = Claim().at(0).lease_id;
    ASSERT_TRUE(store_->Heartbeat(job.id, {.lease_id = lease, .outputs = {output}}, {}).ok());
    if (end == std::string("cancelled")) {
      ASSERT_TRUE(store_->Apply(job.id, JobCancelled{}).ok());
    }
    EXPECT_TRUE(held()) << end;
    if (end == std::string("expired")) {
      clock_.Advance(absl::Hours(1));
      ASSERT_EQ(*store_->ExpireLeases(), 1);
    } else {
      ASSERT_TRUE(store_->Apply(job.id, JobAttemptFailed{lease, "no"}).ok());
    }
    EXPECT_TRUE(IsFinished(store_->Get(job.id)->state)) << end;
    EXPECT_FALSE(held()) << end;
  }
}

TEST_P(JobStoreTest, ForgetsFinishedJobsThatAreOldOrTooMany) {
  std::vector<Job> jobs;
  for (int i = 0; i < 6; ++i) jobs.push_back(Create(absl::StrCat("r", i)));
  const std::string lease = Claim().at(0).lease_id, blob(64, 'b');
  ASSERT_TRUE(store_->Heartbeat(jobs[0].id, {.lease_id = lease}, {"a line"}).ok());
  ASSERT_TRUE(store_->Apply(jobs[0].id, JobCompleted{lease, absl::StrCat("[\"", blob, "\"]")}).ok());
  clock_.Advance(absl::Hours(10));
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(store_->Apply(jobs[i].id, JobCancelled{}).ok());
    clock_.Advance(absl::Minutes(1));
  }
  const JobRetention all{.max_age = absl::ZeroDuration(), .max_finished = 0};
  EXPECT_EQ(*store_->PruneFinished(all, 100), 0);
  EXPECT_EQ(*store_->PruneFinished({.max_age = absl::Hours(24), .max_finished = 5}, 100), 0);
  EXPECT_EQ(*store_->PruneFinished({.max_age = absl::Hours(10), .max_finished = 5}, 100), 1);
  EXPECT_EQ(ReasonOf(store_->Get(jobs[0].id).status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(store_->ReadLog(jobs[0].id, 0, 10).status()), "JOB_NOT_FOUND");
  EXPECT_THAT(*store_->NeededBlobs({blob}), IsEmpty());
  EXPECT_EQ(*store_->PruneFinished({.max_finished = 1}, 2), 2);
  EXPECT_EQ(*store_->PruneFinished({.max_finished = 1}, 2), 1);
  EXPECT_EQ(*store_->PruneFinished({.max_finished = 1}, 2), 0);
  EXPECT_THAT(RequestsOf(store_->List({})->jobs), ElementsAre("r5", "r4")) << "one that waits, and the newest end";
  EXPECT_NE(store_->Create({.request_id = "r1", .kind = "train", .spec = "{}"})->id, jobs[1].id);
}

TEST_P(JobStoreTest, BoundsTheJobsThatWait) {
  store_ = Open({.max_waiting_jobs = 3});
  for (int i = 0; i < 3; ++i) Create(absl::StrCat("r", i));
  const auto refused = store_->Create({.request_id = "r3", .kind = "train", .spec = "{}"});
  EXPECT_EQ(ReasonOf(refused.status()), "JOB_STORE_FULL");
  EXPECT_EQ(MetadataOf(refused.status()), (ErrorMetadata{{"max_waiting_jobs", "3"}}));
  EXPECT_THAT(store_->List({})->jobs, SizeIs(3));
  EXPECT_EQ(Create("r0").request_id, "r0") << "it is there already";
  Claim();
  Create("r3");
  EXPECT_EQ(OpenStore(GetParam(), database_->place(), clock_, {.max_waiting_jobs = -1}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(JobStoreTest, BoundsTheJobsOfATenantThatWait) {
  const auto create = [&](const std::string& request_id, const JobOwner& owner) {
    return store_->Create({.request_id = request_id, .kind = "train", .spec = "{}", .owner = owner}).status();
  };
  const JobOwner studio = {.tenant = "studio", .max_waiting = 2};
  EXPECT_TRUE(create("a", studio).ok());
  EXPECT_TRUE(create("b", studio).ok());
  const absl::Status refused = create("c", studio);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "JOB_QUOTA_EXCEEDED");
  EXPECT_EQ(MetadataOf(refused), (ErrorMetadata{{"tenant", "studio"}, {"limit", "2"}}));
  EXPECT_TRUE(IsQuotaError(refused));
  EXPECT_THAT(store_->List({})->jobs, SizeIs(2));
  EXPECT_TRUE(create("a", studio).ok()) << "it is there already";
  EXPECT_TRUE(create("d", {.tenant = "another", .max_waiting = 1}).ok());
  EXPECT_TRUE(create("e", {}).ok());
  ASSERT_TRUE(store_->Apply(Create("a").id, JobCancelled{}).ok());
  EXPECT_TRUE(create("c", studio).ok());
}

TEST_P(JobStoreTest, CountsWhatIsNotFinished) {
  Create("a");
  Create("b");
  Create("c", 0, "render");
  Claim();
  ASSERT_TRUE(store_->Apply(Create("d").id, JobCancelled{}).ok());
  std::vector<std::string> counted;
  const std::vector<JobCount> counts = *store_->Count();
  for (const JobCount& count : counts) {
    counted.push_back(absl::StrCat(count.kind, " ", std::string(NameOf(count.state)), " ", count.jobs));
  }
  EXPECT_THAT(counted, testing::UnorderedElementsAre("train QUEUED 1", "render QUEUED 1", "train RUNNING 1"));
}

TEST_P(JobStoreTest, APageOfLongSpecsEndsEarly) {
  for (int i = 0; i < 4; ++i) {
    const std::string spec(400'000, static_cast<char>('a' + i));
    ASSERT_TRUE(store_->Create({.request_id = absl::StrCat("r", i), .kind = "train", .spec = spec}).ok());
    clock_.Advance(absl::Seconds(1));
  }
  const JobPage first = *store_->List({});
  EXPECT_THAT(RequestsOf(first.jobs), ElementsAre("r3", "r2"));
  EXPECT_EQ(first.jobs[1].spec, std::string(400'000, 'c'));
  const JobPage second = *store_->List({.page_token = first.next_page_token});
  EXPECT_THAT(RequestsOf(second.jobs), ElementsAre("r1", "r0"));
  EXPECT_EQ(second.next_page_token, "");
}

TEST_P(JobStoreTest, ClaimsOfSeveralKindsGoByPriorityToo) {
  Create("a", 2, "train");
  Create("b", 1, "render");
  Create("c", 3, "render");
  Create("d", 0, "features");
  const JobClaim claim{.worker = "w", .kinds = {"train", "render"}, .max_jobs = 2};
  EXPECT_THAT(RequestsOf(*store_->Claim(claim)), ElementsAre("b", "a"));
  EXPECT_THAT(RequestsOf(*store_->Claim(claim)), ElementsAre("c"));
}

// A server whose clock was a year ahead, and was set right: what it put off comes at once.
TEST_P(JobStoreTest, AClockThatWasAheadPutsNothingOffForEver) {
  const Job job = Create("r");
  clock_.Advance(absl::Hours(24 * 365));
  ASSERT_TRUE(store_->Apply(job.id, JobAttemptFailed{Claim().at(0).lease_id, "oops"}).ok());
  const Job leased = Create("s");
  Claim();
  clock_.Advance(-absl::Hours(24 * 365));
  EXPECT_THAT(RequestsOf(Claim()), ElementsAre("r"));
  EXPECT_EQ(*store_->ExpireLeases(100), 1) << "the lease that ends next year";
  EXPECT_EQ(store_->Get(leased.id)->state, JobState::kRetryable);
}

// What was created by such a server is of the future; what was asked for later is not meant.
TEST_P(JobStoreTest, AJobOfTheFutureBeginsAtOnceUnlessItWasAskedForLater) {
  clock_.Advance(absl::Hours(24 * 365));
  Create("now");
  const absl::Time later = clock_.Now() + absl::Hours(1);
  ASSERT_TRUE(store_->Create({.request_id = "later", .kind = "train", .run_time = later}).ok());
  clock_.Advance(-absl::Hours(24 * 365));
  EXPECT_THAT(RequestsOf(Claim(10)), ElementsAre("now"));
  EXPECT_THAT(Claim(), IsEmpty());
}

// Collects what a hub publishes.
class Heard {
 public:
  explicit Heard(ChangeHub& hub) : subscription_(hub.Subscribe([this](const std::string& id) { Add(id); })) {}
  // False: it was not heard within ten seconds.
  bool Await(const std::string& id) {
    const MutexLock lock(&mu_);
    while (std::find(ids_.begin(), ids_.end(), id) == ids_.end()) {
      if (!added_.WaitFor(&mu_, std::chrono::seconds(10))) return false;
    }
    return true;
  }

 private:
  void Add(const std::string& id) {
    const MutexLock lock(&mu_);
    ids_.push_back(id);
    added_.NotifyAll();
  }
  Mutex mu_;
  CondVar added_;
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mu_);
  const std::unique_ptr<ChangeHub::Subscription> subscription_;
};

TEST_P(JobStoreTest, TellsWhoListensThatAJobHasChanged) {
  Heard heard(store_->changes());
  const Job created = Create("r");
  EXPECT_TRUE(heard.Await(created.id));
  Heard again(store_->changes());
  ASSERT_TRUE(store_->Apply(created.id, JobCancelled{}).ok());
  EXPECT_TRUE(again.Await(created.id));
}

TEST_P(JobStoreTest, TakesADatabaseOfAnEarlierVersionWithItsJobs) {
  store_.reset();
  database_ = std::make_unique<TestDatabase>(GetParam());
  {
    auto engine = OpenEngine(GetParam(), database_->place());
    ASSERT_TRUE(Migrate(**engine, JobStoreMigrations().subspan(0, 1)).ok());
    const std::string spec(64, 'a'), result(64, 'b');
    ASSERT_TRUE(
        (*engine)
            ->Transact([&](SqlTransaction& transaction) {
              return transaction
                  .Run(
                      "INSERT INTO jobs VALUES ('train-1', 'old', 'train', 'cello', $1, 0, 3, 5, 1, 2, 1, 1, 2, "
                      "1, 0, 'w', 'l', 0, 0, 7, 7, '', 7, '', $2, '')",
                      {spec, result})
                  .status();
            })
            .ok());
  }
  store_ = Open();
  const Job old = *store_->Get("train-1");
  EXPECT_EQ(old.spec, std::string(64, 'a'));
  EXPECT_EQ(old.result, std::string(64, 'b'));
  EXPECT_EQ(old.display_name, "cello");
  EXPECT_EQ(old.progress, (JobProgress{7, 7}));
  EXPECT_THAT(*store_->NeededBlobs({old.spec, old.result}), SizeIs(2));
  const Job job = Create("r");
  Claim();
  EXPECT_EQ(store_->ReadLog(job.id, 0, 1)->size(), 0u);
  store_.reset();
  EXPECT_TRUE(Open()->Get(job.id).ok());
}

// Two servers whose bytes lie apart would each collect, and miss, those of the other's jobs.
TEST_P(JobStoreTest, BelongsToTheHomeThatItWasFirstOpenedWith) {
  const auto open = [&](const JobHome& home) {
    return OpenStore(GetParam(), database_->place(), clock_, {.home = home}).status();
  };
  EXPECT_EQ(open({}), absl::OkStatus()) << "nobody says where the bytes are";
  EXPECT_EQ(open({"one", "host-a:/data"}), absl::OkStatus());
  EXPECT_EQ(open({"one", "host-b:/moved"}), absl::OkStatus());
  const absl::Status other = open({"two", "host-b:/data"});
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(other.message()), HasSubstr("host-a:/data"));
  EXPECT_THAT(std::string(other.message()), HasSubstr("host-b:/data"));
}

TEST_P(JobStoreTest, LeavesADatabaseOfALaterVersionAlone) {
  store_.reset();
  auto engine = OpenEngine(GetParam(), database_->place());
  std::vector<Migration> more(JobStoreMigrations().begin(), JobStoreMigrations().end());
  more.push_back({{"CREATE TABLE of_the_future (id BIGINT)"}});
  ASSERT_TRUE(Migrate(**engine, more).ok());
  const auto store = OpenStore(GetParam(), database_->place(), clock_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(store.status().message()),
              HasSubstr(absl::StrCat("schema version ", more.size(), ", newer than this program's ", more.size() - 1)));
}

TEST_P(JobStoreTest, AMigrationThatFailsLeavesTheVersionBefore) {
  auto engine = OpenEngine(GetParam(), database_->place());
  std::vector<Migration> more(JobStoreMigrations().begin(), JobStoreMigrations().end());
  more.push_back({{"CREATE TABLE half (id BIGINT)", "CREATE NONSENSE"}});
  EXPECT_FALSE(Migrate(**engine, more).ok());
  more.back() = {{"CREATE TABLE half (id BIGINT)"}};
  EXPECT_TRUE(Migrate(**engine, more).ok());
}

// Theorem: however many workers claim through however many stores, each job has one lease.
TEST_P(JobStoreTest, NoJobGoesToTwoWorkers) {
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(store_->Create({.request_id = absl::StrCat("r", i), .kind = "train"}).ok());
  }
  const std::unique_ptr<JobStore> other = Open();
  Mutex mu;
  std::multiset<std::string> claimed;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, store = worker % 2 == 0 ? store_.get() : other.get(), worker] {
      for (int empty = 0; empty < 3;) {
        const auto jobs = store->Claim({.worker = absl::StrCat("w", worker), .kinds = {"train"}, .max_jobs = 2});
        ASSERT_TRUE(jobs.ok()) << jobs.status();
        // Nothing free may mean that others hold the rows just now.
        empty = jobs->empty() ? empty + 1 : 0;
        const MutexLock lock(&mu);
        for (const Job& job : *jobs) claimed.insert(job.id);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const auto left = Claim(100);
  for (const Job& job : left) claimed.insert(job.id);
  EXPECT_EQ(claimed.size(), kJobs);
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), kJobs);
}

INSTANTIATE_TEST_SUITE_P(Engines, JobStoreTest, testing::Values(EngineKind::kSqlite, EngineKind::kPostgres),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace ddsp::server
