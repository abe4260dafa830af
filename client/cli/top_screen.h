// What `ddsp top` shows: two scrapes of a server become a snapshot, a snapshot becomes text. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/scrape.h"

namespace ddsp::client {

// Latencies are seconds, NaN where nothing was measured.
struct TopSnapshot {
  struct Model {
    std::string name;
    double sessions = 0, slots = 0;
    double p50 = 0, p99 = 0;
    double realtime_factor = 0;  // seconds of audio per second
    double underruns = 0;        // a second, as the next two
    double late = 0, refused = 0;
  };
  std::string server, version, state;  // "serving"
  double uptime = 0;                   // seconds; 0: not known
  double sessions = 0, slots = 0;
  double p50 = 0, p99 = 0;
  double started = 0, ended = 0, underruns = 0, late = 0;  // a second
  // Shares: of the devices' time that is taken and that is promised, what may be promised, of the machine's cores.
  double busy = 0, demand = 0, limit = 0, cpu = 0;
  double cores_used = 0;  // CPU seconds a second
  double resident_bytes = 0, reserved_bytes = 0, budget_bytes = 0;
  std::map<std::string, double> refused;  // a second, by reason
  std::map<std::string, double> jobs;     // by state
  std::vector<Model> models;              // by name
};

// `elapsed` lies between the scrapes; `now` is the time of day.
TopSnapshot MakeTopSnapshot(const std::string& server, const Scrape& before, const Scrape& after,
                            absl::Duration elapsed, absl::Time now);

enum class TopColours { kPlain, kAnsi };

// Lines of at most `width` columns, where it is 60 or more.
std::string RenderTop(const TopSnapshot& snapshot, TopColours colours, int width = 80);

nlohmann::ordered_json ToJson(const TopSnapshot& snapshot);

}  // namespace ddsp::client
