// ModelStreamInfer: sequences side by side in one call, one response for each request. They end with the call.
//
// A request that fails is answered by the error's text, and the call goes on; a client that asks for it in the header
// `triton_grpc_error: true` gets the call's end with code and details instead.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "server/kserve/sequence.h"
#include "server/rpc/call.h"

namespace ddsp::server::kserve {

class StreamInferCall : public CallHandler, public Sequence::Listener {
 public:
  // Everything referred to outlives it.
  StreamInferCall(Call& call, const SequenceServices& services);

  void OnRead(grpc::ByteBuffer* message) override;
  void OnWritten(bool ok) override;
  void OnCancel() override;

  void Answered(InferAnswer answer) override;
  void Ended(Sequence& sequence, const absl::Status& status, std::vector<InferAnswer> rest) override;
  bool MayWrite(const std::shared_ptr<Sequence>& sequence) override;
  void GiveUp() override { call_.Cancel(); }

 private:
  enum class ErrorForm { kInBand, kStatus };
  using Sequences = std::vector<std::shared_ptr<Sequence>>;

  // The I/O thread's.
  absl::Status Take(inference::ModelInferRequest& wire);
  absl::StatusOr<std::shared_ptr<Sequence>> SequenceOf(const InferRequest& request);
  void HalfClosed();
  // Ends the call with `status`, and all sequences at once.
  void Fail(const absl::Status& status);

  static InferAnswer MakeNotice(const Sequence& sequence, const absl::Status& status);
  void Push(InferAnswer answer) ABSL_LOCKS_EXCLUDED(mu_);
  // The request of this answer no longer waits.
  void Uncount(const InferAnswer& answer) ABSL_LOCKS_EXCLUDED(mu_);
  void ReadOn() ABSL_LOCKS_EXCLUDED(mu_);
  // Writes or finishes where it can, without `ended` if there is one. The caller does nothing with the call afterwards.
  void Proceed(const Sequence* ended = nullptr) ABSL_LOCKS_EXCLUDED(mu_);
  bool congested() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Sequences All() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  Call& call_;
  const SequenceServices services_;
  const ErrorForm error_form_;
  const int64_t backlog_bytes_;

  mutable Mutex mu_;
  // Those that take requests, by their ids; and all that have not ended.
  std::map<std::string, std::shared_ptr<Sequence>> open_ ABSL_GUARDED_BY(mu_);
  std::map<const Sequence*, std::shared_ptr<Sequence>> live_ ABSL_GUARDED_BY(mu_);
  std::deque<inference::ModelStreamInferResponse> queue_ ABSL_GUARDED_BY(mu_);
  int64_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t input_bytes_ ABSL_GUARDED_BY(mu_) = 0;  // of requests that have not been answered
  Sequences held_ ABSL_GUARDED_BY(mu_);           // to be told when answers flow away
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool reading_ ABSL_GUARDED_BY(mu_) = true;
  bool gone_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mu_);  // no more requests
};

}  // namespace ddsp::server::kserve
