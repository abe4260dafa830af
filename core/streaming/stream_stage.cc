#include "core/streaming/stream_stage.h"

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

using Maker = absl::StatusOr<std::unique_ptr<StreamStage>> (*)(const StageContext&);

constexpr struct {
  const char* type;
  Maker make;
} kStages[] = {
    {"Add", MakeAddStage},
    {"Crop", MakeCropStage},
    {"FilteredNoise", MakeFilteredNoiseStage},
    {"FilteredNoiseReverb", MakeReverbStage},  // frozen: its impulse response was drawn at export
    {"Harmonic", MakeHarmonicStage},
    {"Reverb", MakeReverbStage},
};

}  // namespace

void StreamStage::Save(const StageMemory& memory, StateWriter& writer) const {
  writer.Double(memory.phase);
  writer.Floats(memory.floats);
}

void StreamStage::Restore(StateReader& reader, StageMemory& memory) const {
  memory.phase = reader.Double();
  if (memory.phase < 0 || memory.phase > 1) reader.Fail(absl::StrCat("a phase is ", memory.phase));
  reader.Floats(memory.floats);
}

absl::StatusOr<std::unique_ptr<StreamStage>> MakeStreamStage(const StageContext& context) {
  for (const auto& [type, make] : kStages) {
    if (context.node.type() != type) continue;
    absl::StatusOr<std::unique_ptr<StreamStage>> stage = make(context);
    if (stage.ok()) return stage;
    return absl::InvalidArgumentError(absl::StrCat("node '", context.node.name(), "': ", stage.status().message()));
  }
  return absl::InvalidArgumentError(absl::StrCat("node '", context.node.name(), "': processor '", context.node.type(),
                                                 "' is unknown or cannot stream"));
}

}  // namespace ddsp
