// Data sets of made-up notes (upstream: ddsp_generate_synthetic_dataset).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/datasets/synthetic_notes.h"

namespace ddsp {

enum class NotesGenerator { kNotes, kNotesV2 };
// "notes", "notes-v2". Errors: INVALID_ARGUMENT.
absl::StatusOr<NotesGenerator> ParseNotesGenerator(const std::string& name);

// Whether the sound of the notes is stored beside their controls, as feature `audio`. It makes the set 2.4 times as
// large; upstream's model makes it at training.
enum class NotesAudio { kLeftOut, kStored };

struct SyntheticSetSettings {
  int64_t num_examples = 1'000'000;
  uint64_t seed = 42;  // example i is a function of (seed, i)
  NotesGenerator generator = NotesGenerator::kNotesV2;
  NotesSettings notes;
  double example_secs = 4;  // what n_timesteps frames last
  NotesAudio audio = NotesAudio::kLeftOut;
  int64_t shard_bytes = int64_t{64} << 20;
};

// Writes the set into `directory`, or goes on with an unfinished one of the same settings; `progress` in [0, 1].
// Errors: INVALID_ARGUMENT naming the setting that makes no sense; those of ExampleSetWriter.
absl::Status WriteSyntheticSet(const SyntheticSetSettings& settings, const std::string& directory,
                               const std::function<void(double)>& progress);

}  // namespace ddsp
