// Messages of a client, in few words.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::testing {

inline v1::SessionConfig FloatConfig(const std::string& model = "violin", int rate = 16000) {
  v1::SessionConfig config;
  config.set_model(model);
  config.mutable_input_format()->set_encoding(v1::PCM_F32LE);
  config.mutable_input_format()->set_sample_rate_hz(rate);
  return config;
}

inline v1::SessionConfig WithSnapshots(v1::SessionConfig config = FloatConfig(), int seconds = 1) {
  config.mutable_snapshot_interval()->set_seconds(seconds);
  return config;
}

// Goes on at a snapshot with that data.
inline v1::SessionConfig Resumed(v1::SessionConfig config, const std::string& data) {
  config.set_resume(data);
  return config;
}
inline v1::SessionConfig Resumed(v1::SessionConfig config, const v1::SessionSnapshot& snapshot) {
  return Resumed(std::move(config), snapshot.data());
}

inline v1::StreamSessionRequest Request(const v1::SessionConfig& config) {
  v1::StreamSessionRequest request;
  *request.mutable_config() = config;
  return request;
}

inline std::string FloatBytes(absl::Span<const float> samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

inline std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> samples(bytes.size() / sizeof(float));
  if (!samples.empty()) std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  return samples;
}

inline v1::StreamSessionRequest AudioRequest(uint64_t seq, uint64_t start_sample, std::string data) {
  v1::StreamSessionRequest request;
  request.mutable_audio()->set_seq(seq);
  request.mutable_audio()->set_start_sample(start_sample);
  request.mutable_audio()->set_data(std::move(data));
  return request;
}

inline v1::StreamSessionRequest AudioRequest(uint64_t seq, uint64_t start_sample, absl::Span<const float> samples) {
  return AudioRequest(seq, start_sample, FloatBytes(samples));
}

// frames of `f0_hz`, each for `frame_samples`.
inline v1::StreamSessionRequest FramesRequest(uint64_t seq, uint64_t start_sample, absl::Span<const float> f0_hz,
                                              uint32_t frame_samples) {
  v1::StreamSessionRequest request;
  v1::ControlBlock* control = request.mutable_control();
  control->set_seq(seq);
  control->set_start_sample(start_sample);
  control->set_frame_samples(frame_samples);
  for (const float f0 : f0_hz) control->add_frames()->set_f0_hz(f0);
  return request;
}

inline v1::StreamSessionRequest PitchRequest(uint64_t seq, uint64_t start_sample, double semitones) {
  v1::StreamSessionRequest request;
  request.mutable_control()->set_seq(seq);
  request.mutable_control()->set_start_sample(start_sample);
  request.mutable_control()->mutable_parameters()->set_pitch_shift_semitones(semitones);
  return request;
}

// 1, 2, 3, ... : any sample tells where it came from.
inline std::vector<float> Ramp(int64_t size) {
  std::vector<float> samples(size);
  for (int64_t i = 0; i < size; ++i) samples[i] = static_cast<float>(i + 1);
  return samples;
}

}  // namespace ddsp::testing
