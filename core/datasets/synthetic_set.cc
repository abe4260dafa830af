#include "core/datasets/synthetic_set.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/seed.h"
#include "core/base/status_macros.h"
#include "core/datasets/example_set_writer.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

constexpr int64_t kAtOnce = 16;  // examples between two looks at the progress

int64_t SamplesOf(const SyntheticSetSettings& s) { return std::llround(s.example_secs * s.notes.sample_rate); }

std::string RecipeOf(const SyntheticSetSettings& s) {
  return absl::StrCat("synthetic ", s.generator == NotesGenerator::kNotes ? "notes" : "notes-v2", ", seed ", s.seed,
                      ", ", s.num_examples, " examples of ", s.example_secs, " s, n_timesteps ", s.notes.n_timesteps,
                      ", n_harmonics ", s.notes.n_harmonics, ", n_mags ", s.notes.n_mags, ", note length ",
                      s.notes.min_note_length, " to ", s.notes.max_note_length, ", p_silent ", s.notes.p_silent,
                      ", p_vibrato ", s.notes.p_vibrato, s.audio == NotesAudio::kStored ? ", with audio" : "");
}

absl::Status CheckSettings(const SyntheticSetSettings& s) {
  if (s.num_examples < 1) return absl::InvalidArgumentError(absl::StrCat("num_examples is ", s.num_examples));
  if (!(s.example_secs > 0 && s.example_secs <= 3600))
    return absl::InvalidArgumentError(absl::StrCat("example_secs is ", s.example_secs, ", expected (0, 3600]"));
  if (s.audio == NotesAudio::kStored && SamplesOf(s) % s.notes.n_timesteps != 0)
    return absl::InvalidArgumentError(absl::StrCat("n_timesteps is ", s.notes.n_timesteps, ": ", SamplesOf(s),
                                                   " samples of audio are no multiple of it"));
  return absl::OkStatus();
}

NamedTensors Example(const SyntheticSetSettings& s, int64_t index) {
  const auto generator = [&](const char* purpose) {
    return at::make_generator<at::CPUGeneratorImpl>(DeriveSeed(s.seed, purpose, index));
  };
  const auto generate = s.generator == NotesGenerator::kNotes ? GenerateNotes : GenerateNotesV2;
  NamedTensors example = generate(s.notes, 1, generator("notes"));
  if (s.audio == NotesAudio::kStored)
    example["audio"] = SynthesizeNotes(example, SamplesOf(s), s.notes.sample_rate, generator("noise"));
  return example;
}

}  // namespace

absl::StatusOr<NotesGenerator> ParseNotesGenerator(const std::string& name) {
  if (name == "notes") return NotesGenerator::kNotes;
  if (name == "notes-v2") return NotesGenerator::kNotesV2;
  return absl::InvalidArgumentError(absl::StrCat("generator is '", name, "', expected notes or notes-v2"));
}

absl::Status WriteSyntheticSet(const SyntheticSetSettings& settings, const std::string& directory,
                               const std::function<void(double)>& progress) {
  RETURN_IF_ERROR(CheckSettings(settings));
  // Settings that no example can be made of leave no folder behind.
  RETURN_IF_ERROR(CatchTorch([&] { return Example(settings, 0); }).status());
  ExampleSetWriter::Options options;
  options.recipe = RecipeOf(settings);
  options.sample_rate = settings.notes.sample_rate;
  options.frame_rate = static_cast<double>(settings.notes.n_timesteps) / settings.example_secs;
  options.shard_bytes = settings.shard_bytes;
  ASSIGN_OR_RETURN(ExampleSetWriter writer, ExampleSetWriter::Open(directory, options));
  while (writer.size() < settings.num_examples) {
    const int64_t end = std::min(writer.size() + kAtOnce, settings.num_examples);
    while (writer.size() < end) {
      ASSIGN_OR_RETURN(const NamedTensors example, CatchTorch([&] { return Example(settings, writer.size()); }));
      RETURN_IF_ERROR(writer.Add(example));
    }
    progress(static_cast<double>(end) / static_cast<double>(settings.num_examples));
  }
  return writer.Finish();
}

}  // namespace ddsp
