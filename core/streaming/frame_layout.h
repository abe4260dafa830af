// Where the controls of a frame lie in a row of floats: the decoder's outputs in order, then f0_hz.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp {

struct ControlSlice {
  int offset = 0;
  int size = 0;
};

class FrameLayout {
 public:
  explicit FrameLayout(const v1::DecoderSpec& decoder);

  int decoder_outputs() const { return decoder_outputs_; }
  int f0_offset() const { return decoder_outputs_; }
  int size() const { return decoder_outputs_ + 1; }

  // Errors: NOT_FOUND that lists what there is.
  absl::StatusOr<ControlSlice> Find(const std::string& key) const;

 private:
  std::map<std::string, ControlSlice> slices_;
  int decoder_outputs_ = 0;
};

}  // namespace ddsp
