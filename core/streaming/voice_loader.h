// From a bundle on disk to an engine that has proven itself.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

// Errors: INVALID_ARGUMENT (a graph that cannot stream, extractor settings of another version), naming the field.
absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeVoiceEngine(std::shared_ptr<const Voice> voice, int slots);

// What the golden test renders: the stream of `input` at the voice's own rate, tail included. The export fills
// Voice::golden with it.
absl::StatusOr<std::vector<float>> RenderGolden(std::shared_ptr<const Voice> voice, absl::Span<const float> input,
                                                uint64_t seed);

// Finishes a voice of spec and weights: declared latency and golden audio. Weights must be rounded to their storage.
// Errors: INTERNAL with every problem of a voice that does not validate; those of the engine.
absl::Status CompleteVoice(std::vector<float> golden_input, uint64_t seed, const std::shared_ptr<Voice>& voice);

// Renders the golden input and compares. Errors: FAILED_PRECONDITION with the first difference and its sample.
absl::Status VerifyGolden(std::shared_ptr<const Voice> voice);

// ReadBundle, the declared latency, VerifyGolden.
absl::StatusOr<std::shared_ptr<const Voice>> LoadVoice(const std::string& version_directory);

}  // namespace ddsp
