// The engine of a voice whose network and synthesis run on a GPU, for all streams of the voice together.
//
// A step sends one buffer to the device (features, parameters, slot numbers) and fetches one (audio). Features (pitch,
// power) stay on the CPU, spread over `threads`. Threads that step at the same time take turns: the larger the batch,
// the better, so one device worker is the right number.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/cuda/parallel_loop.h"
#include "core/cuda/step_device.h"
#include "core/cuda/voice_program.h"
#include "core/streaming/stream_table.h"
#include "core/streaming/voice_engine.h"

namespace ddsp::cuda {

class CudaVoiceEngine : public VoiceEngine {
 public:
  // `device` runs `program`, compiled from `voice`, with `slots` slots. `threads`, 1 or more, counts those that call
  // Step(). Errors: those of StreamTable.
  static absl::StatusOr<std::unique_ptr<CudaVoiceEngine>> Create(std::shared_ptr<const Voice> voice,
                                                                 std::unique_ptr<const VoiceProgram> program,
                                                                 std::unique_ptr<StepDevice> device, int slots,
                                                                 int threads);

  StreamFormat format(StreamInput input) const override;
  int slots() const override { return streams_.slots(); }
  int64_t bytes_per_slot() const override;
  absl::Status Reset(int slot, const StreamSettings& settings) override;
  std::unique_ptr<StepWorkspace> MakeWorkspace() const override;
  // Beyond what VoiceEngine says: when the device fails, every request gets its error (INTERNAL).
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override;

 private:
  struct Workspace;
  // Requests that go to the device together.
  struct Batch;

  CudaVoiceEngine(std::shared_ptr<const Voice> voice, std::unique_ptr<const VoiceProgram> program,
                  std::unique_ptr<StepDevice> device, StreamTable streams, int threads);
  void StepBatch(absl::Span<const HopRequest> requests, const Batch& batch, Workspace& work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Deliver(const HopRequest& request, const float* audio) const;

  const std::shared_ptr<const Voice> voice_;
  const std::unique_ptr<const VoiceProgram> program_;
  Mutex mu_;
  const std::unique_ptr<StepDevice> device_ ABSL_PT_GUARDED_BY(mu_);
  StreamTable streams_;
  std::vector<StreamTable::Workspace> analysis_;  // of each thread
  ParallelLoop loop_;
};

}  // namespace ddsp::cuda
