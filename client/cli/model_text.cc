#include "client/cli/model_text.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace ddsp::client {
namespace {

std::string NameOf(const v1::Model& model) { return std::string(absl::StripPrefix(model.name(), "models/")); }

std::string StateOf(const v1::ModelVersion& version) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::VersionState_Name(version.state()), "VERSION_STATE_"));
}

std::vector<std::string> AliasesOf(const v1::Model& model, int64_t version) {
  std::vector<std::string> aliases;
  for (const auto& [alias, target] : model.aliases()) {
    if (target == version) aliases.push_back(alias);
  }
  std::sort(aliases.begin(), aliases.end());
  return aliases;
}

double LatencyMs(const v1::LoadedVoice& voice) { return 1000.0 * voice.latency_samples() / voice.sample_rate_hz(); }

}  // namespace

std::string ModelTable(const std::vector<v1::Model>& models) {
  size_t widest = 5;
  for (const v1::Model& model : models) widest = std::max(widest, NameOf(model).size());
  const int width = static_cast<int>(widest);
  std::string table = absl::StrFormat("%-*s %7s  %-11s %-7s %-14s %9s %9s %9s\n", width, "MODEL", "VERSION", "STATE",
                                      "DEFAULT", "ALIASES", "RATE", "LATENCY", "SESSIONS");
  for (const v1::Model& model : models) {
    for (const v1::ModelVersion& version : model.versions()) {
      const bool is_default = version.version() == model.serving_version();
      absl::StrAppendFormat(&table, "%-*s %7d  %-11s %-7s %-14s", width, NameOf(model), version.version(),
                            StateOf(version), is_default ? "yes" : "-",
                            absl::StrJoin(AliasesOf(model, version.version()), ","));
      if (version.has_loaded()) {
        const v1::LoadedVoice& voice = version.loaded();
        absl::StrAppendFormat(&table, " %6d Hz %6.0f ms %9s", voice.sample_rate_hz(), LatencyMs(voice),
                              absl::StrCat(voice.sessions(), "/", voice.slots()));
      } else {
        absl::StrAppendFormat(&table, " %9s %9s %9s", "-", "-", "-");
      }
      table += "\n";
      if (!version.reason().empty()) absl::StrAppend(&table, "  ", version.reason(), "\n");
    }
  }
  return table;
}

nlohmann::ordered_json ToJson(const v1::Model& model) {
  nlohmann::ordered_json versions = nlohmann::ordered_json::array();
  for (const v1::ModelVersion& version : model.versions()) {
    nlohmann::ordered_json row = {{"version", version.version()},
                                  {"state", absl::AsciiStrToUpper(StateOf(version))},
                                  {"pinned", version.pinned()}};
    if (!version.reason().empty()) row["reason"] = version.reason();
    if (version.has_loaded()) {
      const v1::LoadedVoice& voice = version.loaded();
      row["description"] = voice.description();
      row["recipe"] = voice.recipe();
      row["licence"] = voice.licence();
      row["sample_rate_hz"] = voice.sample_rate_hz();
      row["hop_size"] = voice.hop_size();
      row["latency_samples"] = voice.latency_samples();
      row["latency_ms"] = LatencyMs(voice);
      row["sessions"] = voice.sessions();
      row["slots"] = voice.slots();
      row["bytes_per_slot"] = voice.bytes_per_slot();
    }
    versions.push_back(std::move(row));
  }
  const std::map<std::string, int64_t> aliases(model.aliases().begin(), model.aliases().end());
  return {{"name", NameOf(model)},
          {"serving_version", model.serving_version()},
          {"aliases", aliases},
          {"versions", std::move(versions)}};
}

}  // namespace ddsp::client
