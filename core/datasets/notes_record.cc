#include "core/datasets/notes_record.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/datasets/record_layout.h"

namespace ddsp {
namespace {

int64_t SizeOf(const ExampleRecord& record, const std::string& name) {
  return static_cast<int64_t>(record.floats.at(name).size());
}

absl::Status Misfit(const ExampleRecord& record, const std::string& name, const std::string& expected,
                    const std::string& other) {
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' has ", SizeOf(record, name), " values, expected ",
                                                 expected, " the ", SizeOf(record, other), " of '", other, "'"));
}

}  // namespace

std::string ToString(const NotesSizes& sizes) {
  return absl::StrCat("n_timesteps ", sizes.n_timesteps, ", n_harmonics ", sizes.n_harmonics, ", n_mags ",
                      sizes.n_mags);
}

bool HasNotes(const ExampleRecord& record) {
  return record.floats.contains("sin_amps") || record.others.contains("sin_amps");
}

absl::StatusOr<NotesSizes> NotesSizesOf(const ExampleRecord& record) {
  for (const auto& [name, shape] : ShapesOf({})) RETURN_IF_ERROR(CheckFeature(record, name));
  NotesSizes sizes;
  sizes.n_timesteps = SizeOf(record, "f0_hz");
  if (sizes.n_timesteps == 0) return absl::InvalidArgumentError("'f0_hz' has no values");
  for (const char* name : {"harm_dist", "noise_magnitudes"}) {
    const int64_t size = SizeOf(record, name);
    if (size == 0 || size % sizes.n_timesteps != 0) return Misfit(record, name, "a multiple of", "f0_hz");
  }
  if (SizeOf(record, "harm_amp") != sizes.n_timesteps) return Misfit(record, "harm_amp", "as many as", "f0_hz");
  for (const char* name : {"sin_amps", "sin_freqs"}) {
    if (SizeOf(record, name) != SizeOf(record, "harm_dist")) return Misfit(record, name, "as many as", "harm_dist");
  }
  sizes.n_harmonics = SizeOf(record, "harm_dist") / sizes.n_timesteps;
  sizes.n_mags = SizeOf(record, "noise_magnitudes") / sizes.n_timesteps;
  return sizes;
}

std::map<std::string, std::vector<int64_t>> ShapesOf(const NotesSizes& sizes) {
  const std::vector<int64_t> one = {sizes.n_timesteps, 1}, harmonics = {sizes.n_timesteps, sizes.n_harmonics};
  return {{"f0_hz", one},          {"harm_amp", one},        {"harm_dist", harmonics},
          {"sin_amps", harmonics}, {"sin_freqs", harmonics}, {"noise_magnitudes", {sizes.n_timesteps, sizes.n_mags}}};
}

}  // namespace ddsp
