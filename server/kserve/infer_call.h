// ModelInfer: a recording in one message, and its answer in one; a sequence of a single request.
#pragma once

#include <memory>
#include <vector>

#include "server/kserve/sequence.h"
#include "server/rpc/call.h"

namespace ddsp::server::kserve {

class InferCall : public CallHandler, public Sequence::Listener {
 public:
  // Everything referred to outlives it.
  InferCall(Call& call, const SequenceServices& services);

  void OnRead(grpc::ByteBuffer* message) override;
  void OnCancel() override;

  void Answered(InferAnswer answer) override;
  void Ended(Sequence& sequence, const absl::Status& status, std::vector<InferAnswer> rest) override;
  bool MayWrite(const std::shared_ptr<Sequence>&) override { return true; }
  void GiveUp() override { call_.Cancel(); }

 private:
  absl::Status Begin(grpc::ByteBuffer* message);

  Call& call_;
  const SequenceServices services_;
  std::shared_ptr<Sequence> sequence_;  // the I/O thread's
};

}  // namespace ddsp::server::kserve
