// From a repository on disk to voices that are ready to serve.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/repository.h"
#include "core/streaming/voice_loader.h"
#include "server/registry/registry.h"

namespace ddsp::server {

// Makes what steps a voice; called by several threads at once.
using EngineMaker =
    std::function<absl::StatusOr<std::unique_ptr<VoiceEngine>>(std::shared_ptr<const Voice> voice, int slots)>;

// One version, golden test included; without its aliases. Errors: those of LoadVoice and of the maker.
absl::StatusOr<VoiceListing> LoadListing(const VoiceLocation& location, int slots, const EngineMaker& make_engine);

// Loads every version of every voice, golden test included, each with `slots` slots. Errors: those of the repository;
// of the voices, all that failed, each with its directory.
absl::StatusOr<std::vector<VoiceListing>> LoadRepository(const std::string& repository, int slots,
                                                         const EngineMaker& make_engine = MakeVoiceEngine);

// An extractor with the voices' settings.
absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeFeatureEngine(int slots);

}  // namespace ddsp::server
