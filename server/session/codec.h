// Blocks on the wire to samples and back: 16-bit or float PCM, or one raw Opus packet a block (libopus).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/session/session_config.h"

namespace ddsp::server {

class BlockDecoder {
 public:
  virtual ~BlockDecoder() = default;
  // Samples in a block, told without decoding it. Errors: BLOCK_MALFORMED, OPUS_PACKET_INVALID.
  virtual absl::StatusOr<int64_t> CountSamples(const std::string& data) const = 0;
  // Appends the samples of a block that CountSamples() has counted. Errors: AUDIO_NOT_FINITE, OPUS_PACKET_INVALID.
  virtual absl::Status Decode(const std::string& data, std::vector<float>* samples) = 0;
  // A decoder that was given blocks of so many samples goes on as one that was given all: 0 where blocks stand alone.
  virtual int64_t memory() const { return 0; }
  // Samples at the start that belong to no sample of the client.
  virtual int delay() const { return 0; }
};

class BlockEncoder {
 public:
  virtual ~BlockEncoder() = default;
  // Opus: samples.size() is the packet length that the encoder was made for.
  virtual std::string Encode(absl::Span<const float> samples) = 0;
  // What it gives next depends on so many samples before: 0 where blocks stand alone.
  virtual int64_t memory() const { return 0; }
  // Makes a new encoder go on where another has encoded `samples` last, whole blocks of `block`: for a decoder that has
  // decoded these.
  virtual void GoOnAfter(absl::Span<const float>, int) {}
  // Samples at the start of the decoded output that belong to no sample of the session.
  virtual int delay() const { return 0; }
  // Whether every block must have the full length, the last one too.
  virtual bool whole_blocks() const { return false; }
};

std::unique_ptr<BlockDecoder> MakeDecoder(const WireFormat& format);
// `bitrate` in bit/s, 0 means the default; PCM ignores it.
std::unique_ptr<BlockEncoder> MakeEncoder(const WireFormat& format, int bitrate);

}  // namespace ddsp::server
