#include "core/cuda/engine_device.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ddsp {
namespace {

constexpr size_t kMostDigits = 3;

bool IsNumber(absl::string_view text) {
  return !text.empty() && text.size() <= kMostDigits && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

absl::StatusOr<EngineDevice> EngineDevice::Parse(absl::string_view name) {
  EngineDevice device;
  if (name == "cpu") return device;
  absl::string_view number = name;
  int index = 0;
  if (absl::ConsumePrefix(&number, "cuda:") && IsNumber(number) && absl::SimpleAtoi(number, &index)) {
    device.cuda_ = index;
    return device;
  }
  return absl::InvalidArgumentError(absl::StrCat("device '", name, "' is neither 'cpu' nor 'cuda:N'"));
}

}  // namespace ddsp
