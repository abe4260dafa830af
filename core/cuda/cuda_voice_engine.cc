#include "core/cuda/cuda_voice_engine.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "core/cuda/stream_rows.h"
#include "core/streaming/flush_denormals.h"

namespace ddsp::cuda {

struct CudaVoiceEngine::Workspace : StepWorkspace {
  std::vector<int> sounding;    // requests whose streams have warmed up
  std::vector<int> first_rows;  // of these, counted through all batches; then the end
};

struct CudaVoiceEngine::Batch {
  absl::Span<const int> sounding, first_rows;
  int rows = 0;
};

absl::StatusOr<std::unique_ptr<CudaVoiceEngine>> CudaVoiceEngine::Create(std::shared_ptr<const Voice> voice,
                                                                         std::unique_ptr<const VoiceProgram> program,
                                                                         std::unique_ptr<StepDevice> device, int slots,
                                                                         int threads) {
  ASSIGN_OR_RETURN(StreamTable streams, StreamTable::Create(voice, slots));
  return std::unique_ptr<CudaVoiceEngine>(
      new CudaVoiceEngine(std::move(voice), std::move(program), std::move(device), std::move(streams), threads));
}

CudaVoiceEngine::CudaVoiceEngine(std::shared_ptr<const Voice> voice, std::unique_ptr<const VoiceProgram> program,
                                 std::unique_ptr<StepDevice> device, StreamTable streams, int threads)
    : voice_(std::move(voice)),
      program_(std::move(program)),
      device_(std::move(device)),
      streams_(std::move(streams)),
      loop_(threads) {
  for (int i = 0; i < threads; ++i) analysis_.push_back(streams_.MakeWorkspace(ParallelLoop::kMaxTurns));
}

StreamFormat CudaVoiceEngine::format(StreamInput input) const {
  StreamFormat format = streams_.format(input);
  format.tail = program_->tail();
  return format;
}

int64_t CudaVoiceEngine::bytes_per_slot() const {
  int64_t bytes = program_->slot_floats() * sizeof(float);
  for (const StatePart& part : streams_.state_parts()) bytes += part.bytes;
  return bytes;
}

absl::Status CudaVoiceEngine::Reset(int slot, const StreamSettings& settings) {
  RETURN_IF_ERROR(streams_.Reset(slot, settings));
  MutexLock lock(&mu_);
  return device_->ResetSlot(slot);
}

std::unique_ptr<StepWorkspace> CudaVoiceEngine::MakeWorkspace() const { return std::make_unique<Workspace>(); }

absl::Span<const absl::Status> CudaVoiceEngine::Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) {
  auto& work = static_cast<Workspace&>(workspace);
  const int count = static_cast<int>(requests.size());
  work.statuses.assign(count, absl::OkStatus());
  work.sounding.clear();
  work.first_rows.clear();
  MutexLock lock(&mu_);
  loop_.Run(count, [&](const ParallelLoop::Turns& turns) {
    const ScopedFlushDenormals flush;
    streams_.Analyse(requests.subspan(turns.begin, turns.end - turns.begin), analysis_[turns.thread]);
  });
  int rows = 0;
  for (int i = 0; i < count; ++i) {
    if (streams_.HopIndex(requests[i].slot) < 0) Silence(requests[i].output);
    if (streams_.HopIndex(requests[i].slot) < -1) continue;
    work.sounding.push_back(i);
    work.first_rows.push_back(rows);
    rows += RowsOf(requests[i], streams_);
  }
  work.first_rows.push_back(rows);
  const absl::Span<const int> sounding = work.sounding, first_rows = work.first_rows;
  for (size_t begin = 0, end = 0; begin < sounding.size(); begin = end) {
    while (end < sounding.size() && first_rows[end + 1] - first_rows[begin] <= device_->capacity()) ++end;
    StepBatch(requests,
              {sounding.subspan(begin, end - begin), first_rows.subspan(begin, end - begin),
               first_rows[end] - first_rows[begin]},
              work);
  }
  for (const HopRequest& request : requests) streams_.Advance(request.slot);
  return work.statuses;
}

void CudaVoiceEngine::StepBatch(absl::Span<const HopRequest> requests, const Batch& batch, Workspace& work) {
  const int count = static_cast<int>(batch.sounding.size());
  const StepInput input = device_->BeginStep(batch.rows);
  for (int frame = 0; frame < program_->frames_per_hop(); ++frame) *input.frame(frame).counts = {batch.rows, count};
  loop_.Run(count, [&](const ParallelLoop::Turns& turns) {
    for (int i = turns.begin; i < turns.end; ++i) {
      FillRows(requests[batch.sounding[i]], streams_, batch.first_rows[i] - batch.first_rows[0], i, input);
    }
  });
  const absl::StatusOr<const float*> audio = device_->FinishStep();
  loop_.Run(count, [&](const ParallelLoop::Turns& turns) {
    for (int i = turns.begin; i < turns.end; ++i) {
      const int request = batch.sounding[i];
      if (!audio.ok()) Silence(requests[request].output);
      work.statuses[request] =
          audio.ok() ? Deliver(requests[request], *audio + static_cast<int64_t>(i) * program_->hop()) : audio.status();
    }
  });
}

absl::Status CudaVoiceEngine::Deliver(const HopRequest& request, const float* audio) const {
  const int64_t hop = streams_.HopIndex(request.slot);
  if (hop < 0) return absl::OkStatus();  // it starts a stream and gives none
  std::copy_n(audio, program_->hop(), request.output.begin());
  return CheckFinite(*voice_, hop, request.output);
}

}  // namespace ddsp::cuda
