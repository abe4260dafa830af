// What the devices' work costs and how much of them it takes, measured while they work. Not thread-safe; pure: times
// are given.
//
// Everything is averaged exponentially over about a second: a burst counts, and is forgotten.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "server/scheduler/step_cost.h"

namespace ddsp::server {

// An average of what was added, older amounts fading with time.
class Fading {
 public:
  void Add(double amount, absl::Time at) { sum_ = At(at) + amount, last_ = at; }
  // The sum of what was added, faded; at least `last`.
  double At(absl::Time now) const;
  static double Seconds();  // the time in which a sum fades to 1 / e

 private:
  double sum_ = 0;
  absl::Time last_ = absl::InfinitePast();
};

class LoadMeter {
 public:
  // `hops[i]` is the audio of a hop of engine i.
  LoadMeter(int workers, std::vector<absl::Duration> hops);

  // Makes `engine` one of these hops, of unknown cost.
  void AddEngine(int engine, absl::Duration hop);
  // What a step of the engine costs on a quiet device.
  void SetCost(int engine, const StepCost& cost);

  // A worker has stepped `streams` from `begin` to `end`. Of these `realtime` are REALTIME: they had waited for
  // `waited` in all, began `lag` in all after they were wanted, and `late` of them after their block had been due.
  struct Step {
    int engine = 0;
    int streams = 0, realtime = 0, late = 0;
    absl::Time begin, end;
    absl::Duration waited, lag;

    // Counts a REALTIME hop that is ready since `queued` before `begin`, `behind` later than it was wanted, and whose
    // block is due `budget` after that.
    void CountLive(absl::Duration queued, absl::Duration behind, absl::Duration budget) {
      ++realtime;
      waited += queued;
      lag += behind + queued;
      late += behind + queued > budget;
    }
  };
  void Stepped(const Step& step);
  // What a step gave waited so long for the crew.
  void WaitedForCrew(absl::Duration wait, absl::Time now);

  // Share of the workers' time that REALTIME streams took, 0..1.
  double busy(absl::Time now) const;
  // How much slower than on the quiet device steps are; 1 until something is known.
  double strain(absl::Time now) const;
  // What a step of the engine costs on a quiet device, and what all steps so far would have taken there.
  const StepCost& quiet_cost(int engine) const { return costs_[engine]; }
  double quiet_seconds() const { return quiet_seconds_; }
  // What a step of the engine costs now.
  StepCost CostNow(int engine, absl::Time now) const;
  // Mean waits of hops in the last second: REALTIME ones for a device, those that were stepped for the crew.
  absl::Duration device_wait(absl::Time now) const;
  absl::Duration crew_wait(absl::Time now) const;
  // Of REALTIME hops of the last second: the share that was late, and the mean lag.
  double late_share(absl::Time now) const;
  absl::Duration lag(absl::Time now) const;

  absl::Duration hop(int engine) const { return hops_[engine]; }
  int workers() const { return workers_; }

 private:
  // A mean: what was added by how much of it.
  struct Mean {
    Fading sum, weight;
    void Add(double value, double by, absl::Time at) { sum.Add(value * by, at), weight.Add(by, at); }
    double At(absl::Time now, double fallback) const;
  };

  const int workers_;
  std::vector<absl::Duration> hops_;
  std::vector<StepCost> costs_;
  double quiet_seconds_ = 0;
  Fading realtime_seconds_;
  Fading spent_, expected_;  // seconds in steps, and what they would have been on the quiet device
  Mean device_wait_, crew_wait_, late_, lag_;
};

}  // namespace ddsp::server
