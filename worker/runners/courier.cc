#include "worker/runners/courier.h"

#include <pthread.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "worker/runners/train_snapshot.h"

namespace ddsp::worker {
namespace {

namespace fs = std::filesystem;

void Remove(const std::string& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

}  // namespace

Courier::Courier(BlobDepot& blobs, JobReporter& report, std::string folder)
    : blobs_(blobs), report_(report), folder_(std::move(folder)) {
  std::error_code ignored;  // what needs the folder says so
  fs::create_directories(folder_, ignored);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "ddsp-upload");
    Work();
  });
}

Courier::~Courier() {
  {
    const MutexLock lock(&mu_);
    closing_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

absl::Status Courier::OfferCheckpoint(int64_t step, const std::string& file, const std::string& directory) {
  const MutexLock lock(&mu_);
  if (step == offered_step_) return absl::OkStatus();  // a trainer saves its last step twice
  // A second name: the trainer removes its own when newer checkpoints are there.
  const std::string kept = absl::StrCat(folder_, "/checkpoint-", step);
  std::error_code error;
  fs::create_hard_link(file, kept, error);
  if (error) return absl::InternalError(absl::StrCat(kept, ": ", error.message()));
  offered_step_ = step;
  if (checkpoint_) Remove(checkpoint_->file);
  checkpoint_ = Parcel{kept, step, directory, ""};
  changed_.NotifyAll();
  return absl::OkStatus();
}

void Courier::OfferExample(const std::string& path, const std::string& file) {
  const MutexLock lock(&mu_);
  examples_.push_back(Parcel{file, -1, "", path});
  if (examples_.size() > kMaxWaiting) {
    Remove(examples_.front().file);
    examples_.pop_front();
  }
  changed_.NotifyAll();
}

void Courier::Drain() {
  const MutexLock lock(&mu_);
  while (checkpoint_ || !examples_.empty() || busy_) changed_.Wait(&mu_);
}

void Courier::Work() {
  const MutexLock lock(&mu_);
  while (true) {
    while (!closing_ && !checkpoint_ && examples_.empty()) changed_.Wait(&mu_);
    if (closing_) return;
    Parcel parcel;
    if (checkpoint_) {
      parcel = *std::exchange(checkpoint_, std::nullopt);
    } else {
      parcel = std::move(examples_.front());
      examples_.pop_front();
    }
    busy_ = true;
    mu_.Unlock();
    Deliver(parcel);
    mu_.Lock();
    busy_ = false;
    changed_.NotifyAll();
  }
}

void Courier::Deliver(const Parcel& parcel) {
  const absl::Status status = parcel.path.empty() ? DeliverCheckpoint(parcel) : DeliverExample(parcel);
  Remove(parcel.file);
  if (status.ok() || absl::IsCancelled(status)) return;
  // Not the end of the training: the next checkpoint may go through, and the one before is where it was.
  report_.Say(absl::StrCat(parcel.path.empty() ? absl::StrCat("checkpoint ", parcel.step) : parcel.path,
                           " was not uploaded: ", status.message()));
}

absl::Status Courier::DeliverCheckpoint(const Parcel& parcel) {
  const std::string snapshot = folder_ + "/snapshot";
  RETURN_IF_ERROR(PackSnapshot(parcel.file, parcel.directory, snapshot));
  const absl::StatusOr<v1::JobFile> blob = blobs_.Store(snapshot, "checkpoint");
  Remove(snapshot);
  if (!blob.ok()) return blob.status();
  report_.SetCheckpoint(parcel.step, blob->sha256());
  return absl::OkStatus();
}

absl::Status Courier::DeliverExample(const Parcel& parcel) {
  ASSIGN_OR_RETURN(const v1::JobFile example, blobs_.Store(parcel.file, parcel.path));
  report_.AddExample(example);
  return absl::OkStatus();
}

}  // namespace ddsp::worker
