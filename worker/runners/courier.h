// Uploads what a training makes while the training goes on: its thread is ddsp-upload.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "worker/jobs/blob_depot.h"
#include "worker/jobs/job_reporter.h"

namespace ddsp::worker {

class Courier {
 public:
  // Examples that may wait; more push out the oldest.
  static constexpr size_t kMaxWaiting = 4;

  // Works in `folder`, which it makes. Everything outlives this.
  Courier(BlobDepot& blobs, JobReporter& report, std::string folder);
  // Ends after the upload at hand.
  ~Courier();

  // Uploads a trainer's checkpoint with the metrics of `directory`, and reports it. One that still waits is dropped for
  // a newer one. Returns when the file may vanish. Errors: those of the disk.
  absl::Status OfferCheckpoint(int64_t step, const std::string& file, const std::string& directory);
  // Uploads a file, which is removed then, and reports it as an example called `path`.
  void OfferExample(const std::string& path, const std::string& file);

  // Waits until nothing waits any more.
  void Drain();

 private:
  struct Parcel {
    std::string file;
    int64_t step = -1;      // of a checkpoint
    std::string directory;  // of a checkpoint
    std::string path;       // of an example
  };
  void Work();
  void Deliver(const Parcel& parcel);
  absl::Status DeliverCheckpoint(const Parcel& parcel);
  absl::Status DeliverExample(const Parcel& parcel);

  BlobDepot& blobs_;
  JobReporter& report_;
  const std::string folder_;

  Mutex mu_;
  CondVar changed_;
  int64_t offered_step_ ABSL_GUARDED_BY(mu_) = -1;  // of the last checkpoint
  std::optional<Parcel> checkpoint_ ABSL_GUARDED_BY(mu_);
  std::deque<Parcel> examples_ ABSL_GUARDED_BY(mu_);
  bool busy_ ABSL_GUARDED_BY(mu_) = false;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ddsp::worker
