// From a bundle on disk to an engine that has proven itself.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

// Errors: INVALID_ARGUMENT (a graph that cannot stream, extractor settings of another version), naming the field.
absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeVoiceEngine(std::shared_ptr<const Voice> voice, int slots);

// Renders the golden input and compares. Errors: FAILED_PRECONDITION with the largest difference and its sample.
absl::Status VerifyGolden(const Voice& voice);

// ReadBundle + VerifyGolden.
absl::StatusOr<std::shared_ptr<const Voice>> LoadVoice(const std::string& version_directory);

}  // namespace ddsp
