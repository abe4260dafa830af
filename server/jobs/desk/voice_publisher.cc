#include "server/jobs/desk/voice_publisher.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/models/repository.h"
#include "core/models/voice_name.h"
#include "core/streaming/voice_loader.h"
#include "server/blobs/upload_file.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/desk/voice_files.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

constexpr char kStaging[] = ".staging";
constexpr char kCard[] = "report/MODEL_CARD.md";
constexpr int64_t kMaxCardBytes = 1 << 20;

// The disk's troubles are not the voice's: another attempt may do better.
absl::Status DiskError(const std::error_code& error, const std::string& what) {
  if (!error) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", error.message());
  if (error.value() == ENOSPC || error.value() == EDQUOT) return MakeError(Reason::kJobStoreFull, message);
  return absl::InternalError(message);
}

absl::Status FlushFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = file >= 0 && fsync(file) == 0;
  const std::error_code error(errno, std::generic_category());
  if (file >= 0) close(file);
  return flushed ? absl::OkStatus() : DiskError(error, absl::StrCat("cannot flush ", path));
}

absl::Status Flush(const std::string& folder) {
  const absl::Status flushed = FlushFolder(folder);
  return flushed.ok() ? flushed : absl::InternalError(flushed.message());  // whatever its code
}

// Of all names below, with that of the folder itself to come.
absl::Status FlushTree(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_directory()) RETURN_IF_ERROR(Flush(entry.path()));
  }
  RETURN_IF_ERROR(DiskError(error, absl::StrCat("cannot read ", folder)));
  return Flush(folder);
}

absl::Status WriteSafely(const std::string& path, const std::string& text) {
  const absl::Status written = WriteFileAtomically(path, text);
  return written.ok() ? written : absl::InternalError(written.message());  // whatever its code
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return DiskError(error, absl::StrCat("cannot make ", path));
}

void RemoveAll(const std::string& path) {
  std::error_code ignored;  // what is left is dropped at the next start
  fs::remove_all(path, ignored);
}

std::string VersionFolder(const std::string& model_folder, int64_t version) {
  return absl::StrCat(model_folder, "/", version);
}

std::vector<int64_t> VersionsIn(const std::string& model_folder) {
  std::vector<int64_t> versions;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model_folder, error)) {
    int64_t version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version) && version > 0) versions.push_back(version);
  }
  return versions;
}

absl::Status Rejection(const std::string& problem) {
  return MakeError(Reason::kVoiceRejected, "the voice is unfit to be served: " + problem);
}

// The same trouble, as one that may pass.
absl::Status Again(const absl::Status& error) { return absl::UnavailableError(error.message()); }

// Errors of reading and testing a bundle that lie in the bundle.
bool IsTheVoicesFault(const absl::Status& error) { return FailsForGood(error) || absl::IsNotFound(error); }

absl::Status Verify(const std::string& folder, const std::string& model) {
  const auto voice = LoadVoice(folder);
  if (!voice.ok()) {
    if (!IsTheVoicesFault(voice.status())) return voice.status();
    // As the worker named them.
    return Rejection(absl::StrReplaceAll(voice.status().message(), {{folder, "voice"}}));
  }
  if ((*voice)->spec.name() == model) return absl::OkStatus();
  return Rejection(absl::StrCat("its name is '", (*voice)->spec.name(), "', the job's '", model, "'"));
}

PublishOutcome OutcomeOf(const absl::Status& status) {
  if (status.ok()) return PublishOutcome::kPublished;
  return FailsForGood(status) ? PublishOutcome::kRejected : PublishOutcome::kFailed;
}

}  // namespace

struct VoicePublisher::Voice {
  std::string job;
  std::string model;
  std::string model_folder;
  std::string staging;

  // The version that this job has published already.
  std::optional<int64_t> Published() const {
    for (const int64_t version : VersionsIn(model_folder)) {
      const auto made_by = ReadFile(absl::StrCat(VersionFolder(model_folder, version), "/", kJobFile));
      if (made_by.ok() && absl::StripSuffix(*made_by, "\n") == job) return version;
    }
    return std::nullopt;
  }
};

absl::StatusOr<std::unique_ptr<VoicePublisher>> VoicePublisher::Open(Options options, const BlobStore& blobs,
                                                                     ModelControl& models, JobMetrics& metrics) {
  RemoveAll(absl::StrCat(options.folder, "/", kStaging));
  RETURN_IF_ERROR(MakeFolder(absl::StrCat(options.folder, "/", kStaging)));
  return std::unique_ptr<VoicePublisher>(new VoicePublisher(std::move(options), blobs, models, metrics));
}

void VoicePublisher::Say(LogLevel level, std::string_view event, std::string message,
                         std::vector<LogField> fields) const {
  if (options_.log != nullptr) options_.log->Write(level, event, std::move(message), std::move(fields));
}

absl::StatusOr<v1::JobResult> VoicePublisher::Publish(const Job& job, const v1::JobResult& result,
                                                      const RenewLease& renew) {
  const absl::Time begin = Clock::Steady().Now();
  const absl::StatusOr<std::string> name = PublishVoice(job, result, renew);
  const double seconds = absl::ToDoubleSeconds(Clock::Steady().Now() - begin);
  metrics_.PublishTook(OutcomeOf(name.status()), seconds);
  if (!name.ok()) {
    Say(LogLevel::kWarning, "job.not_published", "the voice of a job was not published",
        {{"job", job.id}, {"kind", job.kind}, {"error", std::string(name.status().message())}});
    return name.status();
  }
  Say(LogLevel::kInfo, "job.published", "the voice of a job was published",
      {{"job", job.id}, {"kind", job.kind}, {"model", *name}, {"seconds", seconds}});
  v1::JobResult published = result;
  published.set_model(*name);
  return published;
}

absl::StatusOr<std::string> VoicePublisher::PublishVoice(const Job& job, const v1::JobResult& result,
                                                         const RenewLease& renew) {
  ASSIGN_OR_RETURN(const v1::Job message, ToMessage(job));
  const std::string& model = message.spec().train().model();
  if (!IsVoiceName(model)) return absl::InternalError(absl::StrCat("job ", job.id, " has no model's name"));
  const Voice voice{.job = job.id,
                    .model = model,
                    .model_folder = absl::StrCat(options_.folder, "/", model),
                    .staging = absl::StrCat(options_.folder, "/", kStaging, "/", job.id)};
  std::optional<int64_t> version = voice.Published();
  if (!version.has_value()) {
    const absl::StatusOr<int64_t> put = Put(voice, result, renew);
    if (!put.ok()) RemoveAll(voice.staging);
    if (!put.ok()) return put.status();
    version = *put;
  }
  RETURN_IF_ERROR(PutCard(voice, *version, result));
  RETURN_IF_ERROR(Serve(voice, *version));
  options_.before(Step::kDone);
  return absl::StrCat(model, "/", *version);
}

absl::StatusOr<int64_t> VoicePublisher::Put(const Voice& voice, const v1::JobResult& result, const RenewLease& renew) {
  options_.before(Step::kAssemble);
  RETURN_IF_ERROR(Assemble(voice, result));
  RETURN_IF_ERROR(renew());
  options_.before(Step::kVerify);
  RETURN_IF_ERROR(Verify(voice.staging, voice.model));
  RETURN_IF_ERROR(renew());
  options_.before(Step::kRename);
  return Rename(voice);
}

// On disk when it returns: a rename must not outlive what it names.
absl::Status VoicePublisher::Assemble(const Voice& voice, const v1::JobResult& result) const {
  ASSIGN_OR_RETURN(const std::vector<VoiceFile> files,
                   VoiceFilesOf(result, {.max_files = options_.max_files, .max_bytes = options_.max_bytes}));
  RemoveAll(voice.staging);
  for (const VoiceFile& file : files) {
    const fs::path target = fs::path(voice.staging) / file.path;
    RETURN_IF_ERROR(MakeFolder(target.parent_path()));
    ASSIGN_OR_RETURN(const std::string source, blobs_.PathOf(file.sha256));
    std::error_code error;
    fs::copy_file(source, target, error);
    RETURN_IF_ERROR(DiskError(error, absl::StrCat("cannot copy ", source, " to ", target.string())));
    RETURN_IF_ERROR(FlushFile(target));
  }
  RETURN_IF_ERROR(WriteSafely(absl::StrCat(voice.staging, "/", kJobFile), voice.job + "\n"));
  return FlushTree(voice.staging);
}

absl::StatusOr<int64_t> VoicePublisher::Rename(const Voice& voice) const {
  RETURN_IF_ERROR(MakeFolder(voice.model_folder));
  const int64_t version = NextVersion(voice.model_folder);
  std::error_code error;
  fs::rename(voice.staging, VersionFolder(voice.model_folder, version), error);
  RETURN_IF_ERROR(DiskError(error, absl::StrCat("cannot rename ", voice.staging)));
  RETURN_IF_ERROR(Flush(voice.model_folder));
  RETURN_IF_ERROR(Flush(options_.folder));
  return version;
}

absl::Status VoicePublisher::PutCard(const Voice& voice, int64_t version, const v1::JobResult& result) const {
  for (const v1::JobFile& file : result.files()) {
    if (file.path() != kCard) continue;
    ASSIGN_OR_RETURN(const std::string card, blobs_.Read(file.sha256(), 0, kMaxCardBytes));
    return WriteSafely(VersionFolder(voice.model_folder, version) + ".md", card);
  }
  return absl::OkStatus();
}

// A version that cannot be loaded after all is withdrawn: the next start would stumble over it. One that somebody has
// unloaded meanwhile is published none the less.
absl::Status VoicePublisher::Serve(const Voice& voice, int64_t version) {
  options_.before(Step::kServe);
  const absl::Status loaded = models_.Load(voice.model, version);
  const std::string reason = ReasonOf(loaded);
  if (loaded.ok() || reason == NameOf(Reason::kModelNotReady)) return absl::OkStatus();
  if (reason != NameOf(Reason::kModelLoadFailed)) return FailsForGood(loaded) ? Again(loaded) : loaded;
  std::error_code error;
  fs::rename(VersionFolder(voice.model_folder, version), voice.staging, error);
  RETURN_IF_ERROR(DiskError(error, absl::StrCat("cannot withdraw ", voice.model, "/", version)));
  RemoveAll(VersionFolder(voice.model_folder, version) + ".md");
  RemoveAll(voice.staging);
  return Rejection(std::string(loaded.message()));
}

}  // namespace ddsp::server
