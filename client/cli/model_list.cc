#include "client/cli/model_list.h"

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/artifacts/s3_store.h"
#include "core/artifacts/voice_objects.h"
#include "core/base/status_macros.h"
#include "core/models/aliases.h"
#include "core/models/repository.h"

namespace ddsp::client {
namespace {

nlohmann::ordered_json ToJson(const Voice& voice) {
  const v1::VoiceSpec& spec = voice.spec;
  return {{"version", voice.version},
          {"description", spec.description()},
          {"recipe", spec.recipe()},
          {"licence", spec.licence()},
          {"sample_rate_hz", spec.sample_rate_hz()},
          {"hop_size", spec.hop_size()},
          {"latency_samples", spec.latency_samples()},
          {"latency_ms", 1000.0 * spec.latency_samples() / spec.sample_rate_hz()}};
}

// What a store tells without its files being fetched.
absl::Status ListStore(const std::string& repository, bool json) {
  ASSIGN_OR_RETURN(const std::unique_ptr<S3Store> store, S3Store::Open(repository));
  ASSIGN_OR_RETURN(const auto listed, ListModels(*store));
  if (listed.empty() && !json) std::cout << store->name() << ": no voices\n";
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const auto& [name, model] : listed) {
    ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(*store, name));
    nlohmann::ordered_json versions = nlohmann::ordered_json::array();
    for (const auto& [version, etag] : model.versions) {
      versions.push_back({{"version", version}});
      if (!json) std::cout << store->name() << "/" << name << "/" << version << "\n";
    }
    for (const auto& [alias, version] : aliases) {
      if (!json) std::cout << name << "@" << alias << "  is " << name << "/" << version << "\n";
    }
    models.push_back({{"name", name}, {"aliases", aliases}, {"versions", std::move(versions)}});
  }
  if (json) std::cout << nlohmann::ordered_json{{"models", std::move(models)}}.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace

void PrintVoice(const Voice& voice) {
  const v1::VoiceSpec& spec = voice.spec;
  std::cout << voice.id() << "  " << spec.sample_rate_hz() << " Hz, hop " << spec.hop_size() << ", latency "
            << spec.latency_samples() << " samples, recipe " << spec.recipe() << "\n    " << spec.description() << "\n";
  if (!spec.licence().empty()) std::cout << "    licence: " << spec.licence() << "\n";
}

absl::Status ListRepository(const std::string& repository, bool json) {
  if (IsS3Url(repository)) return ListStore(repository, json);
  ASSIGN_OR_RETURN(const std::vector<VoiceLocation> voices, ListVoices(repository));
  if (voices.empty() && !json) std::cout << repository << ": no voices\n";
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (size_t i = 0; i < voices.size(); ++i) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, ReadBundle(voices[i].directory));
    const bool is_first = i == 0 || voices[i - 1].model != voices[i].model;
    const bool is_last = i + 1 == voices.size() || voices[i + 1].model != voices[i].model;
    ASSIGN_OR_RETURN(const VoiceAliases aliases, ReadAliases(absl::StrCat(repository, "/", voices[i].model)));
    if (json) {
      if (is_first) {
        models.push_back(
            {{"name", voices[i].model}, {"aliases", aliases}, {"versions", nlohmann::ordered_json::array()}});
      }
      models.back()["versions"].push_back(ToJson(*voice));
      continue;
    }
    PrintVoice(*voice);
    if (!is_last) continue;
    for (const auto& [alias, version] : aliases) {
      std::cout << voices[i].model << "@" << alias << "  is " << voices[i].model << "/" << version << "\n";
    }
  }
  if (json) std::cout << nlohmann::ordered_json{{"models", std::move(models)}}.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace ddsp::client
