#include "core/streaming/frame_layout.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {

FrameLayout::FrameLayout(const v1::DecoderSpec& decoder) {
  for (const auto& split : decoder.output_splits()) {
    slices_[split.name()] = {decoder_outputs_, split.size()};
    decoder_outputs_ += split.size();
  }
  slices_["f0_hz"] = {decoder_outputs_, 1};
}

absl::StatusOr<ControlSlice> FrameLayout::Find(const std::string& key) const {
  const auto found = slices_.find(key);
  if (found != slices_.end()) return found->second;
  const std::string known =
      absl::StrJoin(slices_, ", ", [](std::string* out, const auto& slice) { *out += slice.first; });
  return absl::NotFoundError(absl::StrCat("no control '", key, "'; there is: ", known));
}

}  // namespace ddsp
