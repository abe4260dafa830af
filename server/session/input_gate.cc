#include "server/session/input_gate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

// Sample times beyond this many years of audio are nonsense, and would overflow conversions of rate.
constexpr uint64_t kLastSample = uint64_t{1} << 44;

absl::Status Expect(const char* what, uint64_t expected, uint64_t got) {
  if (got == expected) return absl::OkStatus();
  return MakeError(Reason::kBlockSequenceGap, absl::StrCat(what, " ", got, " came where ", expected, " was due"),
                   {{"expected", absl::StrCat(expected)}, {"got", absl::StrCat(got)}, {"field", what}});
}

}  // namespace

absl::Status InputGate::CheckAudio(uint64_t seq, uint64_t start_sample) const {
  if (absl::Status status = Expect("seq", at_.next_audio, seq); !status.ok()) return status;
  return Expect("start_sample", static_cast<uint64_t>(at_.samples), start_sample);
}

absl::Status InputGate::CheckControl(uint64_t seq) const { return Expect("seq", at_.next_control, seq); }

absl::Status InputGate::CheckFrames(uint64_t start_sample) const {
  return Expect("start_sample", static_cast<uint64_t>(at_.samples), start_sample);
}

absl::Status InputGate::CheckChange(uint64_t start_sample, int64_t earliest) const {
  const auto least = static_cast<uint64_t>(std::max(earliest, at_.last_change));
  if (start_sample >= least && start_sample <= kLastSample) return absl::OkStatus();
  return MakeError(Reason::kBlockSequenceGap,
                   absl::StrCat("a change at sample ", start_sample, " came where ", least, " or later was due"),
                   {{"expected", absl::StrCat(least)}, {"got", absl::StrCat(start_sample)}, {"field", "start_sample"}});
}

void InputGate::PassAudio(int64_t samples) {
  ++at_.next_audio;
  at_.samples += samples;
}

void InputGate::PassControl(int64_t samples) {
  ++at_.next_control;
  at_.samples += samples;
}

}  // namespace ddsp::server
