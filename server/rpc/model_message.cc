#include "server/rpc/model_message.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

absl::Status Invalid(std::string_view name, const std::string& expected) {
  const std::string problem = absl::StrCat("'", Echo(name), "' is not ", expected);
  return MakeFieldError(Reason::kInvalidModelRequest, problem, {{"name", absl::StrCat("expected ", expected)}});
}

v1::VersionState ToMessage(VersionState state) {
  switch (state) {
    case VersionState::kUnloaded:
      return v1::VERSION_STATE_UNLOADED;
    case VersionState::kLoading:
      return v1::VERSION_STATE_LOADING;
    case VersionState::kReady:
      return v1::VERSION_STATE_READY;
    case VersionState::kUnloading:
      return v1::VERSION_STATE_UNLOADING;
    case VersionState::kUnavailable:
      return v1::VERSION_STATE_UNAVAILABLE;
  }
  return v1::VERSION_STATE_UNSPECIFIED;
}

void Describe(const VersionStatus& version, v1::LoadedVoice* loaded) {
  const v1::VoiceSpec& spec = version.voice->spec;
  loaded->set_description(spec.description());
  loaded->set_recipe(spec.recipe());
  loaded->set_licence(spec.licence());
  loaded->set_attribution(spec.attribution());
  loaded->set_sample_rate_hz(spec.sample_rate_hz());
  loaded->set_hop_size(spec.hop_size());
  loaded->set_latency_samples(spec.latency_samples());
  loaded->set_sessions(version.sessions);
  loaded->set_slots(version.slots);
  loaded->set_bytes_per_slot(version.bytes_per_slot);
  const auto nanos = static_cast<int64_t>(version.load_seconds * 1e9);
  loaded->mutable_load_time()->set_seconds(nanos / 1000000000);
  loaded->mutable_load_time()->set_nanos(static_cast<int32_t>(nanos % 1000000000));
}

// "models/violin/versions/7" in parts, where it has as many; empty otherwise.
std::vector<std::string> Parts(std::string_view name, size_t count) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(name.data(), name.size()), '/');
  if (parts.size() != count || parts[0] != "models" || !IsModelName(parts[1])) return {};
  return parts;
}

}  // namespace

v1::Model ToMessage(const ModelStatus& status) {
  v1::Model model;
  model.set_name(absl::StrCat("models/", status.name));
  model.set_serving_version(status.serving);
  model.set_revision(status.revision);
  for (const auto& [alias, version] : status.aliases) (*model.mutable_aliases())[alias] = version;
  for (const VersionStatus& version : status.versions) {
    v1::ModelVersion* added = model.add_versions();
    added->set_name(absl::StrCat("models/", status.name, "/versions/", version.version));
    added->set_version(version.version);
    added->set_state(ToMessage(version.state));
    added->set_reason(version.reason);
    added->set_pinned(version.pinned);
    if (version.voice != nullptr) Describe(version, added->mutable_loaded());
  }
  return model;
}

absl::StatusOr<std::string> ModelOf(std::string_view name) {
  const std::vector<std::string> parts = Parts(name, 2);
  if (parts.empty()) return Invalid(name, "models/MODEL");
  return parts[1];
}

absl::StatusOr<VersionName> VersionNameOf(std::string_view name) {
  if (const std::vector<std::string> parts = Parts(name, 2); !parts.empty()) return VersionName{.model = parts[1]};
  const std::vector<std::string> parts = Parts(name, 4);
  VersionName named;
  if (parts.empty() || parts[2] != "versions" || !absl::SimpleAtoi(parts[3], &named.version) || named.version < 1) {
    return Invalid(name, "models/MODEL or models/MODEL/versions/NUMBER");
  }
  named.model = parts[1];
  return named;
}

absl::StatusOr<AliasName> AliasNameOf(std::string_view name) {
  const std::vector<std::string> parts = Parts(name, 4);
  if (parts.empty() || parts[2] != "aliases" || !IsModelName(parts[3])) {
    return Invalid(name, "models/MODEL/aliases/ALIAS");
  }
  return AliasName{.model = parts[1], .alias = parts[3]};
}

}  // namespace ddsp::server
