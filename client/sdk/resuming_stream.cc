#include "client/sdk/resuming_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/all_audio.h"
#include "client/sdk/channel.h"
#include "client/sdk/resuming_relay.h"
#include "client/sdk/server_list.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

absl::Status CheckOptions(const ResumeOptions& resume) {
  constexpr absl::Duration kLeastInterval = absl::Milliseconds(100);
  if (resume.snapshot_interval < kLeastInterval) {
    return absl::InvalidArgumentError(absl::StrCat("snapshot_interval is ",
                                                   absl::FormatDuration(resume.snapshot_interval), "; at least ",
                                                   absl::FormatDuration(kLeastInterval)));
  }
  if (resume.ping_interval <= absl::ZeroDuration() || resume.dead_after < resume.ping_interval) {
    return absl::InvalidArgumentError(absl::StrCat("ping_interval is ", absl::FormatDuration(resume.ping_interval),
                                                   " and dead_after ", absl::FormatDuration(resume.dead_after),
                                                   "; expected 0 < ping_interval <= dead_after"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResumingStream>> ResumingStream::Open(const ServerAddress& servers,
                                                                     StreamOptions options, ResumeOptions resume) {
  RETURN_IF_ERROR(CheckOptions(resume));
  RETURN_IF_ERROR(CheckAddress(servers));
  ASSIGN_OR_RETURN(std::vector<std::string> split, SplitServers(servers.target));
  ASSIGN_OR_RETURN(options, CompleteOptions(std::move(options)));
  if (!resume.connect) {
    resume.connect = [security = SecurityForPart(servers)](const std::string& address) {
      return MakeChannel({address, security});
    };
  }
  auto relay = std::make_unique<Relay>(std::move(split), std::move(options), std::move(resume));
  RETURN_IF_ERROR(relay->Start());
  return std::unique_ptr<ResumingStream>(new ResumingStream(std::move(relay)));
}

ResumingStream::ResumingStream(std::unique_ptr<Relay> relay) : relay_(std::move(relay)) {}
ResumingStream::~ResumingStream() = default;

const StreamStarted& ResumingStream::started() const { return relay_->started(); }
absl::Status ResumingStream::Write(absl::Span<const float> samples) { return relay_->Write(samples); }
absl::StatusOr<size_t> ResumingStream::TryWrite(absl::Span<const float> samples) { return relay_->TryWrite(samples); }
absl::Status ResumingStream::WriteControls(absl::Span<const ControlFrame> frames, int frame_samples) {
  return relay_->WriteControls(frames, frame_samples);
}
absl::Status ResumingStream::ChangeParameters(int64_t sample, const Parameters& parameters) {
  return relay_->ChangeParameters(sample, parameters);
}
absl::Status ResumingStream::Flush(uint64_t id) { return relay_->Flush(id); }
absl::Status ResumingStream::Finish() { return relay_->Finish(); }
absl::StatusOr<std::optional<StreamMessage>> ResumingStream::Read() { return relay_->Read(); }
absl::StatusOr<std::vector<float>> ResumingStream::ReadAllAudio() { return AllAudioOf(*this); }
void ResumingStream::Cancel() { relay_->Cancel(); }
std::vector<Resumption> ResumingStream::resumptions() const { return relay_->resumptions(); }

}  // namespace ddsp::client
