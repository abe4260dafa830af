// Names and limits of the bundle format; the format itself is described in core/models/README.md.
#pragma once

#include <cstdint>

namespace ddsp {

inline constexpr char kManifestFile[] = "MANIFEST.textproto";
inline constexpr char kSpecFile[] = "model.textproto";
inline constexpr char kWeightsFile[] = "weights.safetensors";
inline constexpr char kGoldenFile[] = "golden/golden.safetensors";
// For people; not listed in the manifest.
inline constexpr char kCardFile[] = "MODEL_CARD.md";

// A voice is a few megabytes; nothing in a bundle may be larger than this.
inline constexpr int64_t kMaxBundleFileBytes = int64_t{1} << 30;

}  // namespace ddsp
