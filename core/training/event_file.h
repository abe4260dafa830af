// TensorBoard event files: records of protocol buffers (tensorflow/core/util/event.proto, summary.proto) framed as
// TFRecord. Scalars, sounds and pictures, encoded by hand, since that is a dozen fields.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace ddsp::training {

// length, its checksum, data, its checksum; integers little-endian.
std::string FrameRecord(std::string_view data);

// An Event with one Summary.Value {tag, simple_value}.
std::string FormatScalarEvent(absl::Time time, int64_t step, std::string_view tag, float value);

// An Event with one Summary.Value {tag, audio}: mono, as a WAV file of 16 bits.
std::string FormatAudioEvent(absl::Time time, int64_t step, std::string_view tag, int sample_rate,
                             absl::Span<const float> audio);

struct PngPicture {
  int width = 0, height = 0;
  std::string bytes;
};

// An Event with one Summary.Value {tag, image}.
std::string FormatImageEvent(absl::Time time, int64_t step, std::string_view tag, const PngPicture& picture);

class EventFile {
 public:
  // Creates <directory>/events.out.tfevents.<seconds>.<host>; every start of a run makes one, and TensorBoard joins
  // them. Errors: INTERNAL that names the path.
  static absl::StatusOr<std::unique_ptr<EventFile>> Create(const std::string& directory, absl::Time now);

  void AddScalar(absl::Time time, int64_t step, std::string_view tag, float value);
  void Add(const std::string& event) { out_ << FrameRecord(event); }
  void Flush() { out_.flush(); }
  const std::string& path() const { return path_; }

 private:
  explicit EventFile(std::string path) : path_(std::move(path)), out_(path_, std::ios::binary) {}
  const std::string path_;
  std::ofstream out_;
};

}  // namespace ddsp::training
