#include "core/training/model_card.h"

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"

namespace ddsp::training {
namespace {

// Two table rows, about twelve points.
std::string Curve(const std::string& title, const std::vector<std::pair<int64_t, double>>& points) {
  if (points.empty()) return "";
  const size_t stride = std::max<size_t>(1, (points.size() + 11) / 12);
  std::string head = "| step |", rule = "|---|", row = absl::StrCat("| ", title, " |");
  const auto add = [&](const std::pair<int64_t, double>& point) {
    absl::StrAppend(&head, " ", point.first, " |");
    absl::StrAppend(&rule, "---|");
    absl::StrAppendFormat(&row, " %.2f |", point.second);
  };
  for (size_t i = stride - 1; i + 1 < points.size(); i += stride) add(points[i]);
  add(points.back());
  return absl::StrCat(head, "\n", rule, "\n", row, "\n\n");
}

}  // namespace

std::string DescribeMachine() {
  std::string model = "unknown processor";
  const absl::StatusOr<std::string> cpuinfo = ReadFile("/proc/cpuinfo");
  if (cpuinfo.ok()) {
    for (const absl::string_view line : absl::StrSplit(*cpuinfo, '\n')) {
      if (!absl::StartsWith(line, "model name")) continue;
      const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(": ", 1));
      if (parts.size() == 2) model = parts[1];
      break;
    }
  }
  return absl::StrCat(model, ", ", std::thread::hardware_concurrency(), " cores");
}

std::string FormatModelCard(const Voice& voice, const ModelCard& card) {
  const v1::VoiceSpec& spec = voice.spec;
  std::string text = absl::StrCat("# ", voice.id(), "\n\n", spec.description(), "\n\n");
  absl::StrAppend(&text, "Licence: ", spec.licence().empty() ? "not stated" : spec.licence(), "\n\n");
  if (!spec.attribution().empty()) absl::StrAppend(&text, "Attribution: ", spec.attribution(), "\n\n");
  absl::StrAppendFormat(
      &text, "Plays MIDI %.0f to %.0f (1st and 99th percentile of the training material, mean %.1f).\n\n",
      spec.profile().min_pitch_midi(), spec.profile().max_pitch_midi(), spec.profile().mean_pitch_midi());
  absl::StrAppend(&text, "## Training\n\nRecipe `", spec.recipe(), "`, command:\n\n    ", card.command, "\n\n");
  absl::StrAppend(&text, "| | |\n|---|---|\n| data | ", card.data, " |\n| held out | ", card.held_out, " |\n");
  absl::StrAppendFormat(&text, "| steps | %d in %.0f s (%.2f s a step) |\n| machine | %s |\n| settings | %s |\n\n",
                        card.steps, card.training_seconds, card.seconds_per_step, DescribeMachine(), card.options);
  absl::StrAppend(&text, Curve("training loss", card.loss_curve), Curve("held-out loss", card.held_out_curve));
  absl::StrAppend(&text, "## Evaluation\n\n", card.evaluation.ToTable());
  return text;
}

}  // namespace ddsp::training
