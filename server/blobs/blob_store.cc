#include "server/blobs/blob_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/status_macros.h"
#include "server/blobs/content_hash.h"
#include "server/blobs/upload_file.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

absl::Status NotFound(const std::string& sha256) {
  const std::string name = Echo(sha256);
  return MakeError(Reason::kBlobNotFound, absl::StrCat("there is no blob '", name, "'"), {{"sha256", name}});
}

absl::Status BadField(const std::string& field, const std::string& problem) {
  return MakeFieldError(Reason::kInvalidBlobRequest, absl::StrCat(field, " ", problem), {{field, problem}});
}

absl::Status CheckDigest(const std::string& sha256) {
  if (IsDigest(sha256)) return absl::OkStatus();
  return BadField("sha256", absl::StrCat("'", Echo(sha256), "' is not 64 lower-case hex digits"));
}

absl::Status ToStatus(const std::error_code& error, const std::string& what) {
  return error ? absl::ErrnoToStatus(error.value(), what) : absl::OkStatus();
}

// A full disk is a quota, to a client.
absl::Status NoRoom(const absl::Status& error, const std::string& sha256) {
  if (!absl::IsResourceExhausted(error)) return error;
  return MakeError(Reason::kBlobQuotaExceeded, std::string(error.message()), {{"sha256", sha256}});
}

// When a blob was written or last touched; now, where the system does not say.
int64_t TouchedAt(const fs::path& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return INT64_MAX;
  return absl::ToUnixMicros(absl::TimeFromTimespec(status.st_mtim));
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return ToStatus(error, absl::StrCat("cannot make ", path));
}

}  // namespace

// One upload; its mutex is held while its file is written, that of the store is not.
class BlobStore::Upload {
 public:
  Upload(std::string sha256, int64_t size) : sha256(std::move(sha256)), size(size) {}
  const std::string sha256;
  std::atomic<int64_t> size;  // announced; of one that an earlier process left, what is there
  std::atomic<int64_t> last_change_us = 0;

  Mutex mu;
  // Null: not opened yet, or over.
  std::unique_ptr<UploadFile> file ABSL_GUARDED_BY(mu);
  // It was completed or dropped while somebody waited for `mu`.
  bool over ABSL_GUARDED_BY(mu) = false;
};

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const BlobStoreOptions& options, const Clock& clock) {
  if (options.folder.empty()) return absl::InvalidArgumentError("folder is empty");
  if (options.quota < 0) return absl::InvalidArgumentError(absl::StrCat("quota ", options.quota, " is negative"));
  RETURN_IF_ERROR(MakeFolder(options.folder + "/blobs"));
  RETURN_IF_ERROR(MakeFolder(options.folder + "/uploads"));
  const std::string lock_path = options.folder + "/lock";
  const int lock_file = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path));
  std::unique_ptr<BlobStore> store(new BlobStore(options, clock, lock_file));
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("another process has ", lock_path));
  }
  RETURN_IF_ERROR(store->TakeOver());
  return store;
}

BlobStore::BlobStore(const BlobStoreOptions& options, const Clock& clock, int lock_file)
    : options_(options), clock_(clock), lock_file_(lock_file) {}

BlobStore::~BlobStore() { close(lock_file_); }

absl::Status BlobStore::TakeOver() {
  const MutexLock lock(&mu_);
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(options_.folder + "/blobs", error)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || !IsDigest(name)) continue;
    Blob& blob = blobs_[name];
    blob.size = static_cast<int64_t>(entry.file_size());
    blob.touched_us = std::min(absl::ToUnixMicros(clock_.Now()), TouchedAt(entry.path()));
    blob_bytes_ += blob.size;
  }
  RETURN_IF_ERROR(ToStatus(error, absl::StrCat("cannot read ", options_.folder)));
  std::vector<fs::path> strangers;
  for (const auto& entry : fs::directory_iterator(options_.folder + "/uploads", error)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file()) continue;
    if (!IsDigest(name) || blobs_.contains(name)) {
      strangers.push_back(entry.path());
      continue;
    }
    // How large it will be is known when its client comes back.
    auto upload = std::make_shared<Upload>(name, static_cast<int64_t>(entry.file_size()));
    upload->last_change_us = absl::ToUnixMicros(clock_.Now());
    uploads_[name] = std::move(upload);
  }
  for (const fs::path& path : strangers) fs::remove(path, error);
  return ToStatus(error, absl::StrCat("cannot read ", options_.folder));
}

int64_t BlobStore::BytesUsed() const {
  int64_t used = blob_bytes_;
  for (const auto& [sha256, upload] : uploads_) used += upload != nullptr ? upload->size.load() : 0;
  return used;
}

absl::Status BlobStore::Admit(int64_t size) const {
  const int64_t used = BytesUsed();
  if (static_cast<int64_t>(uploads_.size()) > options_.max_uploads) {
    return MakeError(Reason::kBlobQuotaExceeded,
                     absl::StrCat(options_.max_uploads, " uploads are under way, the most there can be"),
                     {{"max_uploads", absl::StrCat(options_.max_uploads)}});
  }
  if (size <= 0 || size <= options_.quota - used) return absl::OkStatus();
  return MakeError(
      Reason::kBlobQuotaExceeded,
      absl::StrCat(size, " bytes do not go with the ", used, " used of a quota of ", options_.quota),
      {{"size", absl::StrCat(size)}, {"used", absl::StrCat(used)}, {"quota", absl::StrCat(options_.quota)}});
}

absl::StatusOr<UploadStatus> BlobStore::BeginUpload(const std::string& sha256, int64_t size) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  if (size < 0 || size > options_.max_blob_bytes) {
    return BadField("size", absl::StrCat(size, " is not in [0, ", options_.max_blob_bytes, "]"));
  }
  std::shared_ptr<Upload> upload;
  {
    const MutexLock lock(&mu_);
    if (const auto blob = blobs_.find(sha256); blob != blobs_.end()) {
      Touch(sha256, &blob->second);
      if (blob->second.size == size) return UploadStatus{size, true};
      return BadField("size", absl::StrCat(size, " is not that of the blob, ", blob->second.size));
    }
    std::shared_ptr<Upload>& there = uploads_[sha256];
    // Of two clients that announce different sizes one is wrong; the hash will say which. The newer one counts.
    const absl::Status admitted = Admit(size - (there != nullptr ? there->size.load() : 0));
    if (!admitted.ok()) {
      if (there == nullptr) uploads_.erase(sha256);
      return admitted;
    }
    if (there == nullptr) there = std::make_shared<Upload>(sha256, size);
    there->size = size;
    upload = there;
    upload->last_change_us = absl::ToUnixMicros(clock_.Now());
  }
  const MutexLock lock(&upload->mu);
  // Completed or dropped meanwhile; another is begun, or the blob found.
  if (upload->over) return BeginUpload(sha256, size);
  if (upload->file == nullptr) {
    ASSIGN_OR_RETURN(upload->file, UploadFile::Open(UploadPath(sha256)));
  }
  // Longer than announced, or whole but never renamed.
  if (upload->file->size() >= size) {
    RETURN_IF_ERROR(Finish(*upload));
    return UploadStatus{size, true};
  }
  return UploadStatus{upload->file->size(), false};
}

absl::StatusOr<std::shared_ptr<BlobStore::Upload>> BlobStore::FindUpload(const std::string& sha256) const {
  const MutexLock lock(&mu_);
  const auto found = uploads_.find(sha256);
  if (found == uploads_.end()) return NotFound(sha256);
  return found->second;
}

absl::StatusOr<UploadStatus> BlobStore::Append(const std::string& sha256, int64_t offset, std::string_view bytes,
                                               uint32_t crc32c) {
  // The answer to the last bytes was lost, and they come again.
  if (const auto size = SizeOf(sha256); size.ok()) {
    if (offset + static_cast<int64_t>(bytes.size()) == *size) return UploadStatus{*size, true};
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<Upload> upload, FindUpload(sha256));
  const MutexLock lock(&upload->mu);
  if (upload->over || upload->file == nullptr) return NotFound(sha256);
  if (offset != upload->file->size()) {
    return MakeError(
        Reason::kUploadOffsetMismatch,
        absl::StrCat("offset ", offset, " came where ", upload->file->size(), " was due of upload ", sha256),
        {{"expected", absl::StrCat(upload->file->size())}, {"got", absl::StrCat(offset)}, {"sha256", sha256}});
  }
  if (static_cast<int64_t>(bytes.size()) > upload->size - offset) {
    return BadField(
        "data", absl::StrCat(bytes.size(), " bytes at ", offset, " go beyond the ", upload->size.load(), " announced"));
  }
  if (const uint32_t got = Crc32c(bytes); got != crc32c) {
    return MakeError(
        Reason::kBlobChecksumMismatch,
        absl::StrCat("the bytes at ", offset, " of upload ", sha256, " have CRC-32C ", got, ", not ", crc32c),
        {{"expected", absl::StrCat(crc32c)}, {"got", absl::StrCat(got)}, {"sha256", sha256}});
  }
  if (const absl::Status written = upload->file->Append(bytes); !written.ok()) return NoRoom(written, sha256);
  upload->last_change_us = absl::ToUnixMicros(clock_.Now());
  if (upload->file->size() < upload->size) return UploadStatus{upload->file->size(), false};
  RETURN_IF_ERROR(Finish(*upload));
  return UploadStatus{upload->size, true};
}

// With the upload's mutex held.
absl::Status BlobStore::Finish(Upload& upload) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const std::string digest = upload.file->Digest();
  const std::string path = UploadPath(upload.sha256);
  const int64_t size = upload.file->size();
  if (size != upload.size || digest != upload.sha256) {
    Drop(upload);
    return MakeError(
        Reason::kBlobChecksumMismatch,
        absl::StrCat("the ", size, " bytes of upload ", upload.sha256, " have SHA-256 ", digest, "; they were dropped"),
        {{"expected", upload.sha256}, {"got", digest}, {"sha256", upload.sha256}});
  }
  const std::string target = BlobPath(upload.sha256);
  const std::string folder = fs::path(target).parent_path();
  RETURN_IF_ERROR(MakeFolder(folder));
  if (const absl::Status flushed = upload.file->Flush(); !flushed.ok()) {
    // What of it is on the disk is not known, and flushing again would not say.
    Drop(upload);
    return NoRoom(flushed, upload.sha256);
  }
  std::error_code error;
  fs::rename(path, target, error);
  RETURN_IF_ERROR(ToStatus(error, absl::StrCat("cannot rename to ", target)));
  RETURN_IF_ERROR(FlushFolder(folder));
  RETURN_IF_ERROR(FlushFolder(options_.folder + "/blobs"));
  upload.over = true;
  const MutexLock lock(&mu_);
  uploads_.erase(upload.sha256);
  blobs_[upload.sha256] = {upload.file->size(), absl::ToUnixMicros(clock_.Now())};
  blob_bytes_ += upload.file->size();
  return absl::OkStatus();
}

// With the upload's mutex held.
void BlobStore::Drop(Upload& upload) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  upload.over = true;
  upload.file.reset();
  unlink(UploadPath(upload.sha256).c_str());
  Forget(upload.sha256);
}

void BlobStore::Forget(const std::string& sha256) {
  const MutexLock lock(&mu_);
  uploads_.erase(sha256);
}

absl::Status BlobStore::CancelUpload(const std::string& sha256) {
  const auto upload = FindUpload(sha256);
  if (!upload.ok()) return absl::OkStatus();
  const MutexLock lock(&(*upload)->mu);
  if ((*upload)->over) return absl::OkStatus();
  Drop(**upload);
  return absl::OkStatus();
}

int64_t BlobStore::DropStaleUploads() {
  const int64_t oldest = absl::ToUnixMicros(clock_.Now() - options_.upload_timeout);
  std::vector<std::shared_ptr<Upload>> stale;
  {
    const MutexLock lock(&mu_);
    for (const auto& [sha256, upload] : uploads_) {
      if (upload->last_change_us <= oldest) stale.push_back(upload);
    }
  }
  int64_t dropped = 0;
  for (const auto& upload : stale) {
    const MutexLock lock(&upload->mu);
    // Somebody may have gone on with it, or ended it, since.
    if (upload->over || upload->last_change_us > oldest) continue;
    Drop(*upload);
    ++dropped;
  }
  return dropped;
}

absl::StatusOr<int64_t> BlobStore::SizeOf(const std::string& sha256) const {
  const MutexLock lock(&mu_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end()) return NotFound(sha256);
  return found->second.size;
}

absl::StatusOr<int64_t> BlobStore::Touch(const std::string& sha256) {
  const MutexLock lock(&mu_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end()) return NotFound(sha256);
  Touch(sha256, &found->second);
  return found->second.size;
}

void BlobStore::Touch(const std::string& sha256, Blob* blob) const {
  const int64_t now = absl::ToUnixMicros(clock_.Now());
  // The next process reads it from the file, to the minute.
  if (now - blob->touched_us > 60'000'000) utimensat(AT_FDCWD, BlobPath(sha256).c_str(), nullptr, 0);
  blob->touched_us = now;
  blob->superseded = false;
}

void BlobStore::Supersede(const std::string& sha256) {
  const MutexLock lock(&mu_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end()) return;
  Touch(sha256, &found->second);
  found->second.superseded = true;
}

bool BlobStore::IsIdle(const Blob& blob, const BlobGrace& grace, absl::Time now) {
  return absl::FromUnixMicros(blob.touched_us) + (blob.superseded ? grace.superseded : grace.unnamed) <= now;
}

std::vector<std::string> BlobStore::Idle(const BlobGrace& grace) const {
  const absl::Time now = clock_.Now();
  std::vector<std::string> idle;
  const MutexLock lock(&mu_);
  for (const auto& [sha256, blob] : blobs_) {
    if (IsIdle(blob, grace, now)) idle.push_back(sha256);
  }
  return idle;
}

absl::StatusOr<int64_t> BlobStore::RemoveIdle(const std::string& sha256, const BlobGrace& grace) {
  const MutexLock lock(&mu_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end() || !IsIdle(found->second, grace, clock_.Now())) return 0;
  const int64_t size = found->second.size;
  RETURN_IF_ERROR(Erase(found));
  return size;
}

absl::StatusOr<std::string> BlobStore::Read(const std::string& sha256, int64_t offset, int64_t max_bytes) const {
  int64_t size = 0;
  {
    const MutexLock lock(&mu_);
    const auto found = blobs_.find(sha256);
    if (found == blobs_.end()) return NotFound(sha256);
    size = found->second.size;
    // Nothing is taken away from whoever is reading it.
    found->second.touched_us = absl::ToUnixMicros(clock_.Now());
  }
  if (offset < 0) return BadField("offset", absl::StrCat(offset, " is negative"));
  if (max_bytes < 0) return BadField("max_bytes", absl::StrCat(max_bytes, " is negative"));
  std::string bytes(std::min(max_bytes, std::max<int64_t>(size - offset, 0)), '\0');
  std::ifstream in(BlobPath(sha256), std::ios::binary);
  if (!in.seekg(offset) || !in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    // It was removed meanwhile, or the disk fails.
    return SizeOf(sha256).ok() ? absl::InternalError(absl::StrCat("cannot read ", BlobPath(sha256))) : NotFound(sha256);
  }
  return bytes;
}

absl::StatusOr<std::string> BlobStore::PathOf(const std::string& sha256) const {
  RETURN_IF_ERROR(SizeOf(sha256).status());
  return BlobPath(sha256);
}

absl::Status BlobStore::Remove(const std::string& sha256) {
  const MutexLock lock(&mu_);
  const auto found = blobs_.find(sha256);
  return found != blobs_.end() ? Erase(found) : absl::OkStatus();
}

absl::Status BlobStore::Erase(std::map<std::string, Blob>::iterator blob) {
  const std::string path = BlobPath(blob->first);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", path));
  }
  blob_bytes_ -= blob->second.size;
  blobs_.erase(blob);
  return absl::OkStatus();
}

int64_t BlobStore::bytes_used() const {
  const MutexLock lock(&mu_);
  return BytesUsed();
}

int64_t BlobStore::uploads() const {
  const MutexLock lock(&mu_);
  return static_cast<int64_t>(uploads_.size());
}

std::string BlobStore::BlobPath(const std::string& sha256) const {
  return absl::StrCat(options_.folder, "/blobs/", sha256.substr(0, 2), "/", sha256);
}

std::string BlobStore::UploadPath(const std::string& sha256) const {
  return absl::StrCat(options_.folder, "/uploads/", sha256);
}

}  // namespace ddsp::server
