// The load of the devices, as workers, crew and admission see it. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/scheduler/admission.h"
#include "server/scheduler/batch_former.h"
#include "server/scheduler/load_meter.h"

namespace ddsp::server {

// Seconds of CPU time, since whenever: those of this process, and those of all programs of its machine that give way to
// nobody, with what a hypervisor takes; 0: not known.
struct CpuTimes {
  double process = 0, machine = 0;
  absl::Time at;
};

class DeviceLoad {
 public:
  struct Options {
    int workers = 1;
    int cores = 0;  // that devices, crew and transport share; 0: the devices compute elsewhere
    BatchFormer::Options batches;
    AdmissionOptions admission;
  };
  // `hops[i]` is the audio of a hop of engine i. `clock` outlives this.
  DeviceLoad(const Options& options, const std::vector<absl::Duration>& hops, const Clock& clock);

  // An engine comes, or another takes its number: of these hops, and not measured yet.
  void AddEngine(int engine, absl::Duration hop);
  // Measured.
  void SetCost(int engine, const StepCost& cost);
  void Stepped(const LoadMeter::Step& step);
  void WaitedForCrew(absl::Duration wait);

  // About once a second.
  void UsedCpu(const CpuTimes& times);

  // Counts a REALTIME stream in, unless the others would lose their latency by it: then the reason in words.
  // `moved`: it has been seen playing elsewhere, and its listener does not wait.
  std::optional<std::string> Join(int engine, bool moved = false);
  void Leave(int engine);

  TickLoad ForTick(int idle_workers) const;
  Headroom headroom() const;
  // How much slower than on the quiet device steps are.
  double strain() const;

 private:
  Headroom HeadroomAt(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Share of the devices' time that all streams need, by the costs of now or of the quiet device.
  enum class Costs { kNow, kQuiet };
  double DemandBy(Costs costs, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Share of the cores that other programs leave.
  double CpuDemand(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  const Clock& clock_;
  mutable Mutex mu_;
  LoadMeter meter_ ABSL_GUARDED_BY(mu_);
  // CPU time of the process for each second of steps on the quiet device, and what it was computed from.
  double cpu_per_step_ ABSL_GUARDED_BY(mu_);
  CpuTimes cpu_times_ ABSL_GUARDED_BY(mu_);
  double quiet_seconds_ ABSL_GUARDED_BY(mu_) = 0;
  double others_ ABSL_GUARDED_BY(mu_) = 0;  // cores that other programs have used lately
  // Shares of the cores promised to streams since the last look, and between that and the one before, less what streams
  // have left meanwhile.
  double promised_now_ ABSL_GUARDED_BY(mu_) = 0, promised_before_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<int> streams_ ABSL_GUARDED_BY(mu_);  // live REALTIME streams of each engine
};

}  // namespace ddsp::server
