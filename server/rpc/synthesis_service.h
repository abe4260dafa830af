// ddsp.v1.Synthesis: live sessions, and whole recordings rendered by one.
#pragma once

#include <memory>

#include "server/registry/registry.h"
#include "server/rpc/call.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

class SynthesisService {
 public:
  // Everything referred to outlives the service, and the service the calls of the methods that it adds.
  SynthesisService(const SessionServices& services, SessionRoster& roster, const Registry& registry, WorkQueue& queue)
      : services_(services), roster_(roster), registry_(registry), queue_(queue) {}
  void AddMethods(MethodTable* methods);

 private:
  std::unique_ptr<CallHandler> StreamSession(Call& call);

  const SessionServices services_;
  SessionRoster& roster_;
  const Registry& registry_;
  WorkQueue& queue_;  // reads whole recordings
};

}  // namespace ddsp::server
