// Brings configurations that older releases wrote up to 3.7.0 (upstream: update_gin_config.py).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ddsp::gin {

struct Update {
  std::string text;
  std::vector<std::string> changes;  // a sentence each: "line 12: removed ..."
};

// Works on the text, so that comments and layout stay. Bindings that are gone are removed
// (SpectralLoss.delta_delta_freq_weight, SpectralLoss.delta_delta_time_weight, DilatedConvEncoder.resample*,
// DilatedConvDecoder.resample*), ZRnnFcDecoder becomes RnnFcDecoder, and where RnnFcDecoder is named without its
// input_keys they are added as ("f0_scaled", "ld_scaled"), the order in which older models were trained (today's
// default is the reverse). Unlike upstream, which works line by line, a binding is removed with all its lines, blocks
// (`DilatedConvDecoder:`) included, and comments are left alone.
// Errors: INVALID_ARGUMENT with a position for a text that is no gin; `file` is what it names.
absl::StatusOr<Update> UpdateConfig(absl::string_view text, const std::string& file = "");

}  // namespace ddsp::gin
