#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/cli/transfer.h"
#include "client/cli/transfer_stream_options.h"
#include "client/sdk/session_messages.h"
#include "client/sdk/unary_calls.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

v1::RenderRequest ToMessage(const TransferRequest& request) {
  v1::RenderRequest message;
  *message.mutable_config() = ToConfig(ToStreamOptions(request, Codec::kPcmFloat));
  if (request.adjust) {
    v1::TimbreAdjustment& adjust = *message.mutable_config()->mutable_adjust();
    adjust.set_threshold(request.adjust->threshold);
    adjust.set_quiet_db(request.adjust->quiet_db);
    adjust.set_autotune(request.adjust->autotune);
  }
  message.set_audio(reinterpret_cast<const char*>(request.audio.data()), request.audio.size() * sizeof(float));
  return message;
}

}  // namespace

absl::StatusOr<TransferResult> TransferAtOnce(const TransferRequest& request, const ServerAddress& server) {
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const v1::RenderResponse response, Render(server, ToMessage(request)));
  TransferResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (response.audio().size() % sizeof(float) != 0) {
    return absl::DataLossError(absl::StrCat(server.target, " sent ", response.audio().size(), " bytes, no whole samples"));
  }
  result.audio.resize(response.audio().size() / sizeof(float));
  std::memcpy(result.audio.data(), response.audio().data(), response.audio().size());
  result.model = response.started().model();
  result.profile = response.started().profile();
  result.latency_samples = static_cast<int64_t>(response.started().latency_samples());
  return result;
}

}  // namespace ddsp::client
