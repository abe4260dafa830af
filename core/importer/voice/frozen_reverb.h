#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/importer/checkpoint_map.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp::importer {

// One draw of the impulse response of a FilteredNoiseReverb `node` with these magnitudes [frames, bands], as upstream
// makes at every call; [reverb_length] samples, a pure function of the arguments. Errors: INVALID_ARGUMENT naming the
// node.
absl::StatusOr<std::vector<float>> FreezeReverb(const v1::GraphSpec::Node& node, const ImportedWeight& magnitudes,
                                                uint64_t seed);

}  // namespace ddsp::importer
