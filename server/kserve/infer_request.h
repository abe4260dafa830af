// What a client asks of a voice: from the wire's tensors and parameters to samples and settings, or to what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "inference/grpc_service.pb.h"

namespace ddsp::server::kserve {

// Names of tensors. Audio is required; the others hold one number each, and stay in force until another comes.
inline constexpr char kAudio[] = "audio";                       // FP32 [-1], at the voice's rate, both ways
inline constexpr char kPitchShift[] = "pitch_shift_semitones";  // FP32 [1], -48..48
inline constexpr char kLoudnessShift[] = "loudness_shift_db";   // FP32 [1], -60..60
inline constexpr char kSeed[] = "seed";                         // UINT64 [1]; with the first request
inline constexpr char kEmptyFinal[] = "triton_enable_empty_final_response";

enum class TensorForm { kRaw, kContents };

struct InferRequest {
  std::string id;     // echoed
  std::string model;  // as the client calls it
  std::string version;

  // The client's number of the sequence, or its name in quotes; empty: the request is a recording of its own.
  std::string sequence;
  bool start = false, end = false;
  bool marks_final = false;  // the response is to say that it is the request's only one

  TensorForm form = TensorForm::kRaw;
  std::string audio;  // little-endian floats, finite or not
  std::optional<double> pitch_shift_semitones, loudness_shift_db;
  std::optional<uint64_t> seed;

  // "violin" or "violin/3", as the registry resolves it.
  std::string reference() const { return version.empty() ? model : model + "/" + version; }
  // Begins a sequence and is all of it.
  bool whole() const { return start && end; }
  int64_t samples() const { return static_cast<int64_t>(audio.size() / sizeof(float)); }
};

// Takes the samples out of `wire`. A request without a sequence starts and ends at once. Errors: INVALID_CONFIG (a
// parameter, an output or an optional input that nobody knows, or of the wrong kind), FORMAT_UNSUPPORTED (an element
// type), BLOCK_MALFORMED (a shape, or data that do not match it), INPUT_MISMATCH (no audio).
absl::StatusOr<InferRequest> ReadInferRequest(inference::ModelInferRequest& wire);

}  // namespace ddsp::server::kserve
