#pragma once

#include "client/cli/transfer.h"
#include "client/sdk/stream_options.h"

namespace ddsp::client {

// What a server is asked for, but for what takes the whole recording.
StreamOptions ToStreamOptions(const TransferRequest& request, Codec codec);

}  // namespace ddsp::client
