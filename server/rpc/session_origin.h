#pragma once

#include <string>

#include "server/rpc/call.h"
#include "server/session/session_journal.h"

namespace ddsp::server {

// Of a session that `call` carries: `transport` is "grpc", "render", ...
inline SessionOrigin OriginOf(Call& call, const std::string& transport) {
  return {.transport = transport,
          .peer = call.record().peer(),
          .request_id = call.record().request_id(),
          .span = call.record().span()};
}

}  // namespace ddsp::server
