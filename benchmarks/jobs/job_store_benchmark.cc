// How fast jobs are created, claimed and kept alive in either engine while many wait.
//
//   job_store_benchmark [WAITING [ROUNDS]]     10000 and 400 unless told
//
// Every call is on disk when it returns: what one caller reaches alone is bounded by the time of a flush, which is
// printed first.
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include "server/jobs/anchored_clock.h"
#include "tests/server/jobs/test_database.h"

namespace ddsp::server {
namespace {

struct Goal {
  double median_ms = 0;  // at most; 0: none
  double per_second = 0;
};

// Runs `call` so often in so many threads and prints what each took.
void Measure(const std::string& what, int rounds, int threads, int per_call, const Goal& goal,
             const std::function<absl::Status(int round)>& call) {
  std::vector<double> milliseconds(rounds);
  std::atomic<int> next = 0;
  const absl::Time begin = Clock::Steady().Now();
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      for (int round = next++; round < rounds; round = next++) {
        const absl::Time start = Clock::Steady().Now();
        if (const absl::Status done = call(round); !done.ok()) {
          std::cerr << what << ": " << done << std::endl;
          std::abort();
        }
        milliseconds[round] = absl::ToDoubleMilliseconds(Clock::Steady().Now() - start);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  const double seconds = absl::ToDoubleSeconds(Clock::Steady().Now() - begin);
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto quantile = [&](double q) { return milliseconds[static_cast<size_t>(q * (rounds - 1))]; };
  std::cout << absl::StreamFormat("  %-34s %8.2f %8.2f %9.0f", what, quantile(0.5), quantile(0.99),
                                  rounds * per_call / seconds);
  if (goal.median_ms > 0) std::cout << absl::StreamFormat("   goal: median <= %g ms", goal.median_ms);
  if (goal.per_second > 0) std::cout << absl::StreamFormat("   goal: >= %g a second", goal.per_second);
  std::cout << std::endl;
}

void MeasureFlush(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/ddsp_flush_", getpid());
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  Measure("write of 4 KiB and fdatasync", 200, 1, 1, {}, [&](int round) {
    const bool done = pwrite(fd, page.data(), page.size(), round * 4096) == 4096 && fdatasync(fd) == 0;
    return done ? absl::OkStatus() : absl::InternalError("cannot write");
  });
  close(fd);
  unlink(path.c_str());
}

class StoreBenchmark {
 public:
  StoreBenchmark(EngineKind kind, int waiting, int rounds)
      : database_(kind), store_(*OpenStore(kind, database_.place(), clock_)), waiting_(waiting), rounds_(rounds) {}

  void Run() {
    Measure("create, 8 callers", waiting_, 8, 1, {}, [&](int i) { return Create(i, 500); });
    Measure("claim", rounds_, 1, 1, {.median_ms = 5}, [&](int) { return Claim(1); });
    Measure("claim, 8 callers", rounds_ * 4, 8, 1, {.per_second = 500}, [&](int) { return Claim(1); });
    Measure("claim 10 at a time", rounds_ / 10, 1, 10, {.per_second = 500}, [&](int) { return Claim(10); });
    MeasureHeartbeats("");
    leased_.clear();
    Measure("create with 900 kB of spec", 8, 1, 1, {}, [&](int i) { return Create(waiting_ + i, 900'000, -1); });
    Measure("claim with 900 kB of spec", 8, 1, 1, {}, [&](int) { return Claim(1); });
    MeasureHeartbeats(", 900 kB of spec");
  }

 private:
  absl::Status Create(int i, size_t spec_bytes, int64_t priority = 0) {
    return store_
        ->Create({.request_id = absl::StrCat("r", i),
                  .kind = i % 4 == 3 ? "transfer" : "train",
                  .spec = std::string(spec_bytes, 'x'),
                  .priority = priority})
        .status();
  }
  absl::Status Claim(int64_t jobs) {
    const auto claimed = store_->Claim({.worker = "w", .kinds = {"train", "transfer"}, .max_jobs = jobs});
    if (!claimed.ok()) return claimed.status();
    const MutexLock lock(&mu_);
    for (const Job& job : *claimed) leased_.push_back(job);
    return absl::OkStatus();
  }
  void MeasureHeartbeats(const std::string& of_what) {
    const auto beat = [&](int i) {
      const Job& job = leased_[i % leased_.size()];
      const JobProgress progress{.done = i, .total = 100'000, .metrics = R"({"loss":4.25,"steps_per_second":3.5})"};
      return store_->Heartbeat(job.id, {job.lease_id, progress}, {}).status();
    };
    Measure("heartbeat" + of_what, rounds_, 1, 1, {}, beat);
    Measure("heartbeat, 8 callers" + of_what, rounds_ * 4, 8, 1, {}, beat);
  }

  const AnchoredClock clock_;
  TestDatabase database_;
  const std::unique_ptr<JobStore> store_;
  const int waiting_;
  const int rounds_;
  Mutex mu_;
  std::vector<Job> leased_;
};

}  // namespace
}  // namespace ddsp::server

int main(int argc, char** argv) {
  using namespace ddsp::server;
  const int waiting = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 400;
  if (rounds < 10 || waiting < rounds * 6) {
    std::cerr << "usage: job_store_benchmark [WAITING [ROUNDS]]; WAITING is at least six times ROUNDS\n";
    return 2;
  }
  std::cout << waiting << " jobs wait            median ms   p99 ms  a second" << std::endl;
  MeasureFlush("/tmp");
  for (const EngineKind kind : {EngineKind::kSqlite, EngineKind::kPostgres}) {
    std::cout << NameOf(kind) << std::endl;
    if (kind == EngineKind::kPostgres && SharedPostgres(PostgresServer::Flush::kAtCommit) == nullptr) {
      std::cout << "  not measured: Debian's package postgresql is not installed" << std::endl;
      continue;
    }
    StoreBenchmark(kind, waiting, rounds).Run();
  }
  return 0;
}
