#include "client/sdk/stream_options.h"

#include "core/base/status_macros.h"

namespace ddsp::client {

absl::StatusOr<StreamOptions> CompleteOptions(StreamOptions options) {
  if (options.output.sample_rate == 0) options.output.sample_rate = options.input.sample_rate;
  RETURN_IF_ERROR(MakeEncoder(options.input.codec, options.input.sample_rate, options.opus_bitrate).status());
  RETURN_IF_ERROR(MakeDecoder(options.output.codec, options.output.sample_rate).status());
  return options;
}

}  // namespace ddsp::client
