#include "server/scheduler/admission.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace ddsp::server {

double Demand(absl::Span<const EngineDemand> engines, int workers, absl::Duration tick, size_t max_batch) {
  double share = 0;
  for (const EngineDemand& engine : engines) {
    if (engine.streams == 0) continue;
    const double gathered = engine.streams * absl::FDivDuration(std::min(tick, engine.hop), engine.hop) / workers;
    const double batch = std::clamp(gathered, 1.0, static_cast<double>(max_batch));
    share += engine.streams * absl::FDivDuration(engine.cost.Of(batch) / batch, engine.hop);
  }
  return share / workers;
}

std::optional<std::string> Refusal(const Headroom& with, double load_of_one, const AdmissionOptions& options) {
  if (options.max_load <= 0) return std::nullopt;
  const double load = std::max(with.demand, with.busy + load_of_one);
  if (load > options.max_load) {
    return absl::StrFormat("one more stream would load the device to %.0f %%, above %.0f %%", 100 * load,
                           100 * options.max_load);
  }
  if (with.cpu > options.max_load) {
    return absl::StrFormat("one more stream would load the cores to %.0f %%, above %.0f %%", 100 * with.cpu,
                           100 * options.max_load);
  }
  if (const double most = options.max_load * options.max_unproven; with.unproven > most) {
    return absl::StrFormat("streams that have just come may load the cores to %.0f %%, above %.0f %%",
                           100 * with.unproven, 100 * most);
  }
  const auto waits = [&](const char* what, absl::Duration wait) -> std::optional<std::string> {
    if (wait <= options.max_wait) return std::nullopt;
    return absl::StrFormat("hops wait %.1f ms for %s, above %.1f ms", absl::ToDoubleMilliseconds(wait), what,
                           absl::ToDoubleMilliseconds(options.max_wait));
  };
  if (auto refusal = waits("the device", with.device_wait)) return refusal;
  if (auto refusal = waits("a thread that writes", with.crew_wait)) return refusal;
  if (with.lag <= options.max_lag) return std::nullopt;
  return absl::StrFormat("live streams are %.0f ms late, above %.0f ms", absl::ToDoubleMilliseconds(with.lag),
                         absl::ToDoubleMilliseconds(options.max_lag));
}

}  // namespace ddsp::server
