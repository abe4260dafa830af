#include "load-tests/soak/whole_requests.h"

#include "load-tests/soak/raw_session.h"

namespace ddsp::soak {

v1::RenderRequest SomeRender(Visit& visit) {
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig(visit.Voice());
  request.mutable_config()->set_seed(visit.random()());
  request.set_audio(FloatBytes(visit.Music(visit.Between(0, 32000))));
  return request;
}

v1::ExtractRequest SomeExtract(Visit& visit) {
  v1::ExtractRequest request;
  request.mutable_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_format()->set_sample_rate_hz(16000);
  request.set_audio(FloatBytes(visit.Music(visit.Between(1600, 32000))));
  request.set_frame_rate_hz(visit.OneOf({0, 50, 250}));
  return request;
}

v1::RunGraphRequest SomeGraph(Visit& visit) {
  constexpr int kFrames = 10, kBands = 9;
  v1::RunGraphRequest request;
  request.set_gin(
      "ProcessorGroup.dag = [\n"
      "  (@synths.FilteredNoise(), ['magnitudes']),\n"
      "  (@processors.Crop(), ['filtered_noise/signal']),\n"
      "]\n"
      "FilteredNoise.n_samples = 320\n"
      "Crop.frame_size = 20\n");
  v1::Tensor& magnitudes = (*request.mutable_inputs())["magnitudes"];
  for (const int size : {1, kFrames, kBands}) magnitudes.add_shape(size);
  for (int i = 0; i < kFrames * kBands; ++i) magnitudes.add_values(static_cast<float>(visit.Real(-1, 1)));
  request.set_seed(visit.random()());
  return request;
}

}  // namespace ddsp::soak
