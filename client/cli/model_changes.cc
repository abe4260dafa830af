#include "client/cli/model_changes.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace ddsp::client {
namespace {

constexpr char kGone[] = "GONE";

std::string StateOf(const v1::ModelVersion& version) {
  return std::string(absl::StripPrefix(v1::VersionState_Name(version.state()), "VERSION_STATE_"));
}

double SecondsOf(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

std::string SessionsOf(int64_t sessions) { return absl::StrCat(sessions, sessions == 1 ? " session" : " sessions"); }

}  // namespace

std::string TextOf(const ModelChange& change) {
  if (change.of != ModelChange::Of::kVersion) {
    const std::string name =
        change.of == ModelChange::Of::kAlias ? absl::StrCat(change.model, "@", change.alias) : change.model;
    if (change.version != 0) return absl::StrCat(name, " is ", change.model, "/", change.version);
    return absl::StrCat(name, change.of == ModelChange::Of::kAlias ? " is gone" : " serves nothing");
  }
  std::string text = absl::StrCat(change.model, "/", change.version, " ", absl::AsciiStrToLower(change.state));
  if (change.state == "READY" && change.load_seconds > 0) {
    absl::StrAppendFormat(&text, ", loaded in %.2f s", change.load_seconds);
  }
  if (change.state == "UNLOADING") absl::StrAppend(&text, ", ", SessionsOf(change.sessions));
  if (!change.reason.empty()) absl::StrAppend(&text, ": ", change.reason);
  return text;
}

nlohmann::ordered_json ToJson(const ModelChange& change, absl::Time time) {
  nlohmann::ordered_json json = {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone())},
                                 {"model", change.model}};
  switch (change.of) {
    case ModelChange::Of::kVersion:
      json["version"] = change.version;
      json["state"] = change.state;
      if (!change.state_before.empty()) json["before"] = change.state_before;
      if (!change.reason.empty()) json["reason"] = change.reason;
      if (change.state == "READY" || change.state == "UNLOADING") json["sessions"] = change.sessions;
      if (change.load_seconds > 0) json["load_seconds"] = change.load_seconds;
      break;
    case ModelChange::Of::kAlias:
      json["alias"] = change.alias;
      json["version"] = change.version;
      json["before"] = change.before;
      break;
    case ModelChange::Of::kDefault:
      json["serving_version"] = change.version;
      json["before"] = change.before;
      break;
  }
  return json;
}

std::vector<ModelChange> ModelChanges::Take(const v1::Model& model) {
  const std::string name(absl::StripPrefix(model.name(), "models/"));
  const Known before = std::exchange(models_[name], {});
  Known& now = models_[name];
  std::vector<ModelChange> changes;
  for (const v1::ModelVersion& version : model.versions()) {
    ModelChange change{.model = name, .version = version.version(), .state = StateOf(version)};
    const auto known = before.versions.find(change.version);
    now.versions[change.version] = {change.state, version.reason()};
    if (known != before.versions.end() && known->second == now.versions[change.version]) continue;
    if (known != before.versions.end()) change.state_before = known->second.first;
    change.reason = version.reason();
    change.sessions = version.loaded().sessions();
    if (change.state == "READY" && change.state_before != "UNLOADING") {
      change.load_seconds = SecondsOf(version.loaded().load_time());
    }
    changes.push_back(std::move(change));
  }
  for (const auto& [version, known] : before.versions) {
    if (now.versions.count(version) > 0) continue;
    changes.push_back({.model = name, .version = version, .state = kGone, .state_before = known.first});
  }
  now.aliases.insert(model.aliases().begin(), model.aliases().end());
  std::map<std::string, int64_t> aliases = now.aliases;  // those that are gone mean nothing
  for (const auto& [alias, version] : before.aliases) aliases.emplace(alias, 0);
  for (const auto& [alias, version] : aliases) {
    const auto known = before.aliases.find(alias);
    const int64_t then = known == before.aliases.end() ? 0 : known->second;
    if (version == then) continue;
    changes.push_back(
        {.of = ModelChange::Of::kAlias, .model = name, .alias = alias, .version = version, .before = then});
  }
  now.serving = model.serving_version();
  if (now.serving != before.serving) {
    changes.push_back(
        {.of = ModelChange::Of::kDefault, .model = name, .version = now.serving, .before = before.serving});
  }
  if (now.versions.empty() && now.aliases.empty()) models_.erase(name);
  return changes;
}

std::vector<ModelChange> ModelChanges::TakeAll(const std::vector<v1::Model>& models) {
  std::set<std::string> gone;
  for (const auto& [name, known] : models_) gone.insert(name);
  std::vector<ModelChange> changes;
  const auto take = [&](const v1::Model& model) {
    for (ModelChange& change : Take(model)) changes.push_back(std::move(change));
  };
  for (const v1::Model& model : models) {
    gone.erase(std::string(absl::StripPrefix(model.name(), "models/")));
    take(model);
  }
  for (const std::string& name : gone) {
    v1::Model nothing;
    nothing.set_name("models/" + name);
    take(nothing);
  }
  return changes;
}

}  // namespace ddsp::client
