#include "core/dsp/note_detection.h"

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"

namespace ddsp {

at::Tensor Smooth(const at::Tensor& x, int64_t filter_size) {
  DDSP_CHECK_ARGUMENT(filter_size > 0, "filter_size is ", filter_size, ", expected a positive number");
  DDSP_CHECK_ARGUMENT(x.dim() == 1 || x.dim() == 2, "tensor has shape ", x.sizes(),
                      ", expected [time] or [batch, time]");
  const int64_t before = (filter_size - 1) / 2;
  return PadAxis(x, before, filter_size - 1 - before, -1).unfold(-1, filter_size, 1).mean(-1);
}

DetectedNotes DetectNotes(const at::Tensor& loudness_db, const at::Tensor& f0_confidence,
                          const DetectNotesOptions& options) {
  const at::Tensor confidence = Smooth(at::pow(f0_confidence, options.exponent), options.smoothing);
  const at::Tensor level = confidence * (loudness_db - options.min_db);
  const at::Tensor threshold =
      (loudness_db.mean() - options.min_db) * std::pow(options.f0_confidence_threshold, options.exponent);
  const at::Tensor ratio = level / threshold;
  return {ratio >= options.note_threshold, ratio};
}

}  // namespace ddsp
