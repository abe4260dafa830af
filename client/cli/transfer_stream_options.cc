#include "client/cli/transfer_stream_options.h"

namespace ddsp::client {

StreamOptions ToStreamOptions(const TransferRequest& request, Codec codec) {
  StreamOptions options;
  options.model = request.model;
  options.input = {codec, request.input_rate};
  options.output = {codec, request.output_rate};
  options.tail = request.tail ? Tail::kRingOut : Tail::kCut;
  options.parameters.pitch_shift_semitones = request.pitch_shift_semitones;
  options.parameters.loudness_shift_db = request.loudness_shift_db;
  options.seed = request.seed;
  if (request.profile) {
    options.profile = {request.profile->name, request.profile->power_quantiles_db, request.profile->mean_pitch_midi};
  }
  return options;
}

}  // namespace ddsp::client
