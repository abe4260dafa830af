// The SDK's options and answers to and from the messages of the protocol. All translation is here.
#pragma once

#include "client/sdk/stream_options.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

v1::SessionConfig ToConfig(const StreamOptions& options);
v1::Parameters ToMessage(const Parameters& parameters);
v1::ControlBlock ToMessage(absl::Span<const ControlFrame> frames, int frame_samples);

// What audio comes in: where features alone are asked for there is none, and no rate for a codec either.
inline Codec AudioCodec(const StreamOptions& options) {
  return options.answer == Answer::kFeatures ? Codec::kPcmFloat : options.output.codec;
}

StreamStarted FromMessage(const v1::SessionStarted& started);
FeatureBlock FromMessage(const v1::FeatureBlock& block);
StreamEvent FromMessage(const v1::SessionEvent& event);
StreamSummary FromMessage(const v1::SessionSummary& summary);

}  // namespace ddsp::client
