// Processes that are killed while they use a store, and a database that is.
//
// Theorem: what a process was told is kept, whenever it or the database dies; what it was not told is whole or absent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/errors/errors.h"
#include "server/jobs/anchored_clock.h"
#include "server/jobs/sqlite_engine.h"
#include "tests/server/jobs/test_database.h"

// libpqxx 6 forgets a result, some 200 bytes, when a connection breaks while it waits for one.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }

namespace ddsp::server {
namespace {

constexpr char kKindVariable[] = "DDSP_CRASH_KIND";
constexpr char kPlaceVariable[] = "DDSP_CRASH_PLACE";

// What the process that is killed does: creates, claims and completes, and says of each when it has been told.
TEST(Victim, DISABLED_WorksUntilItIsKilled) {
  const auto kind =
      std::getenv(kKindVariable) == NameOf(EngineKind::kSqlite) ? EngineKind::kSqlite : EngineKind::kPostgres;
  const AnchoredClock clock;
  const auto store = OpenStore(kind, std::getenv(kPlaceVariable), clock);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto say = [](const std::string& line) {
    const std::string said = line + "\n";
    if (write(STDERR_FILENO, said.data(), said.size()) < 0) std::abort();
  };
  for (;;) {
    const auto job = (*store)->Create({.request_id = absl::StrCat("r", getpid(), "-", rand()), .kind = "train"});
    if (job.ok()) say("created " + job->id);
    const auto claimed = (*store)->Claim({.worker = "w", .kinds = {"train"}});
    if (!claimed.ok() || claimed->empty()) continue;
    const Job& work = (*claimed)[0];
    say("claimed " + work.id + " " + work.lease_id);
    if ((*store)->Apply(work.id, JobCompleted{work.lease_id, "{}"}).ok()) say("completed " + work.id);
  }
}

class JobStoreCrashTest : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    if (GetParam() == EngineKind::kPostgres && SharedPostgres() == nullptr) {
      GTEST_SKIP() << "Debian's package postgresql is not installed";
    }
    database_ = std::make_unique<TestDatabase>(GetParam());
  }

  // Runs the victim until it has said so many lines, kills it, and returns all that it said.
  std::vector<std::string> KillAfter(int lines) {
    int said[2];
    EXPECT_EQ(pipe(said), 0);
    const pid_t victim = fork();
    if (victim == 0) {
      setenv(kKindVariable, std::string(NameOf(GetParam())).c_str(), 1);
      setenv(kPlaceVariable, database_->place().c_str(), 1);
      dup2(said[1], STDERR_FILENO);
      close(said[0]);
      close(said[1]);
      execl("/proc/self/exe", "victim", "--gtest_filter=Victim.*", "--gtest_also_run_disabled_tests", nullptr);
      _exit(127);
    }
    close(said[1]);
    FILE* const from = fdopen(said[0], "r");
    std::vector<std::string> all;
    for (char line[256]; fgets(line, sizeof line, from) != nullptr;) {
      all.push_back(std::string(line, strcspn(line, "\n")));
      if (--lines == 0) kill(victim, SIGKILL);
    }
    fclose(from);
    waitpid(victim, nullptr, 0);
    return all;
  }

  // Checks everything that was acknowledged.
  void Check(JobStore& store, const std::vector<std::string>& said) {
    for (const std::string& line : said) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      if (words.size() < 2) continue;
      const auto job = store.Get(words[1]);
      ASSERT_TRUE(job.ok()) << line << ": " << job.status();
      if (words[0] == "claimed") {
        EXPECT_EQ(job->lease_id, words[2]) << line;
      }
      if (words[0] == "completed") {
        EXPECT_EQ(job->state, JobState::kSucceeded) << line;
      }
    }
  }

  std::unique_ptr<TestDatabase> database_;
};

TEST_P(JobStoreCrashTest, KillingAProcessLosesNothingThatItWasTold) {
  std::vector<std::string> said;
  for (const int lines : {1, 2, 3, 7, 20, 50}) {
    const auto more = KillAfter(lines);
    EXPECT_GE(more.size(), lines);
    said.insert(said.end(), more.begin(), more.end());
  }
  SimClock clock;
  clock.Advance(absl::Now() - absl::UnixEpoch() + absl::Minutes(1));
  const auto store = OpenStore(GetParam(), database_->place(), clock);
  ASSERT_TRUE(store.ok()) << store.status();
  Check(**store, said);
  // Whatever state the dead left, everything can be finished.
  ASSERT_TRUE((*store)->ExpireLeases(100).ok());
  clock.Advance(absl::Minutes(1));
  for (;;) {
    const auto jobs = (*store)->Claim({.worker = "heir", .kinds = {"train"}, .max_jobs = 100});
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    if (jobs->empty()) break;
    for (const Job& job : *jobs) ASSERT_TRUE((*store)->Apply(job.id, JobCompleted{job.lease_id, "{}"}).ok());
  }
  EXPECT_TRUE((*store)->List({.filter = *ParseJobFilter("done = false")})->jobs.empty());
}

TEST_P(JobStoreCrashTest, ARestartOfTheDatabaseIsSurvived) {
  if (GetParam() == EngineKind::kSqlite) GTEST_SKIP() << "SQLite has no server";
  const AnchoredClock clock;
  const auto store = OpenStore(GetParam(), database_->place(), clock);
  ASSERT_TRUE(store.ok()) << store.status();
  const Job job = *(*store)->Create({.request_id = "before", .kind = "train"});
  ASSERT_TRUE(SharedPostgres()->Restart().ok());
  const auto there = (*store)->Get(job.id);
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_EQ(*there, job);
  EXPECT_EQ((*store)->Claim({.worker = "w", .kinds = {"train"}})->size(), 1u);
}

// Does everything a client and a worker do, again and again until it works, and notes what it was told.
class Laborer {
 public:
  Laborer(JobStore& store, const std::atomic<bool>& ending) : store_(store), ending_(ending) {}

  void Work(int number) {
    for (int i = 0; !ending_; ++i) {
      const auto job = UntilItWorks<Job>(
          [&] { return store_.Create({.request_id = absl::StrCat("r", number, "-", i), .kind = "train"}); });
      if (!job.ok()) return;
      created.push_back(job->id);
      const auto claimed =
          UntilItWorks<std::vector<Job>>([&] { return store_.Claim({.worker = "w", .kinds = {"train"}}); });
      if (!claimed.ok()) return;
      for (const Job& work : *claimed) {
        const auto done = UntilItWorks<Job>([&] { return store_.Apply(work.id, JobCompleted{work.lease_id, "{}"}); });
        if (!done.ok()) return;
        completed.push_back(work.id);
      }
    }
  }

  std::vector<std::string> created, completed;
  int64_t refusals = 0;

 private:
  template <typename T>
  absl::StatusOr<T> UntilItWorks(const std::function<absl::StatusOr<T>()>& call) {
    for (;;) {
      absl::StatusOr<T> answer = call();
      if (answer.ok()) return answer;
      EXPECT_EQ(ReasonOf(answer.status()), "JOB_STORE_UNAVAILABLE") << answer.status();
      ++refusals;
      if (ending_) return answer;
    }
  }

  JobStore& store_;
  const std::atomic<bool>& ending_;
};

// Theorem: a database that is killed again and again under load loses nothing that anybody was told; callers are told
// that it is away, and go on when it is back.
TEST_P(JobStoreCrashTest, RestartsUnderLoadLoseNothing) {
  if (GetParam() == EngineKind::kSqlite) GTEST_SKIP() << "SQLite has no server";
  const AnchoredClock clock;
  const auto store = OpenStore(GetParam(), database_->place(), clock);
  ASSERT_TRUE(store.ok()) << store.status();
  std::atomic<bool> ending = false;
  std::vector<Laborer> laborers(3, Laborer(**store, ending));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&, i] { laborers[i].Work(i); });
  const auto seen = [&] { return (*store)->List({.page_size = 1000}); };
  for (int restart = 0; restart < 3; ++restart) {
    EXPECT_TRUE(SharedPostgres()->Restart().ok());
    // Work goes on before the next.
    const size_t before = seen().ok() ? seen()->jobs.size() : 0;
    for (auto now = seen(); !now.ok() || (now->jobs.size() <= before && before < 900); now = seen()) {
    }
  }
  ending = true;
  for (std::thread& thread : threads) thread.join();
  size_t created = 0;
  for (const Laborer& laborer : laborers) {
    for (const std::string& id : laborer.created) EXPECT_TRUE((*store)->Get(id).ok()) << id;
    for (const std::string& id : laborer.completed) EXPECT_EQ((*store)->Get(id)->state, JobState::kSucceeded) << id;
    created += laborer.created.size();
  }
  EXPECT_GE(created, 3u) << "one after each restart";
}

// A file that may grow no further stands for a disk that is full.
TEST(SqliteStore, AFullDiskLosesNothingAndPasses) {
  const TestDatabase database(EngineKind::kSqlite);
  const AnchoredClock clock;
  const auto open = [&](int64_t max_bytes) {
    return *MakeSqlJobStore(*OpenSqlite({.path = database.place(), .max_bytes = max_bytes}), clock, {});
  };
  const auto create = [](JobStore& store, int i) {
    return store.Create({.request_id = absl::StrCat("r", i), .kind = "train", .spec = std::string(50'000, 'x')});
  };
  std::vector<std::thread> clients;
  Mutex mu;
  std::vector<Job> created;
  std::unique_ptr<JobStore> store = open(2'000'000);
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 20; ++i) {
        const auto job = create(*store, client * 100 + i);
        const MutexLock lock(&mu);
        if (job.ok()) created.push_back(*job);
        if (!job.ok()) {
          EXPECT_EQ(ReasonOf(job.status()), "JOB_STORE_FULL") << job.status();
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(created.size(), 10u);
  EXPECT_LT(created.size(), 60u);
  for (const Job& job : created) EXPECT_EQ(*store->Get(job.id), job);
  EXPECT_EQ(store->Claim({.worker = "w", .kinds = {"train"}})->size(), 1u) << "what needs no room goes on";
  store = open(0);
  EXPECT_TRUE(create(*store, 1000).ok());
  EXPECT_EQ(*store->Get(created[5].id), created[5]);
}

INSTANTIATE_TEST_SUITE_P(Engines, JobStoreCrashTest, testing::Values(EngineKind::kSqlite, EngineKind::kPostgres),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

// A place where no database is, and one that is none.
TEST(OpenStore, NamesWhatCannotBeOpened) {
  const SimClock clock;
  const auto none = OpenStore(EngineKind::kSqlite, "/nowhere/at/all.sqlite", clock);
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.status().message()), testing::HasSubstr("/nowhere/at/all.sqlite"));
  const auto text = OpenStore(EngineKind::kSqlite, DDSP_SOURCE_DIR "/CMakeLists.txt", clock);
  EXPECT_EQ(text.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto away = OpenStore(EngineKind::kPostgres, "host=/nowhere dbname=x connect_timeout=1", clock);
  EXPECT_EQ(ReasonOf(away.status()), "JOB_STORE_UNAVAILABLE");
}

}  // namespace
}  // namespace ddsp::server
