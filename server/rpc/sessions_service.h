// ddsp.v1.Sessions: what plays, and the end of what should not. For operators: on the admin port alone.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "ddsp/v1/sessions.pb.h"
#include "server/rpc/method_table.h"
#include "server/session/session_journal.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

// `roster` outlives the calls.
void AddSessionsMethods(SessionRoster& roster, MethodTable* methods);

v1::Session ToMessage(const SessionFacts& facts);

// A page of them, in the order of their ids; exposed for tests.
absl::Status ListSessions(std::vector<SessionFacts> sessions, const v1::ListSessionsRequest& request,
                          v1::ListSessionsResponse* response);

}  // namespace ddsp::server
