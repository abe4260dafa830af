#include "load-tests/soak/crash_dummy.h"

#include "client/sdk/channel.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

int RunCrashDummy(const std::string& server, const std::string& voice) {
  RawSession session(client::MakeChannel(server));
  const std::vector<float> block(320, 0.1f);
  session.Begin(FloatConfig(voice));
  // It reads now and then, and otherwise leaves output under way.
  for (int sent = 0; session.SendAudio(block); ++sent) {
    Visit::Sleep(0.02);
    v1::StreamSessionResponse response;
    if (sent > 5 && sent % 3 == 2) session.Read(&response);
  }
  return 1;
}

}  // namespace ddsp::soak
