// What a training command shows while it runs, and how it is stopped.
#pragma once

#include "core/training/trainer.h"

namespace ddsp::client {

// From now on SIGINT and SIGTERM ask a training to stop after its step.
void StopTrainingOnSignals();

// Shows the progress: a bar on a terminal, a line every hundred steps elsewhere. Returns kStop after a signal.
training::TrainerVerdict ShowProgress(const training::TrainingProgress& progress);

// Says nothing, but returns kStop after a signal.
training::TrainerVerdict HeedSignals(const training::TrainingProgress& progress);

// Waits some seconds for another process to make progress; false once a signal has come.
bool WaitForProgress();

}  // namespace ddsp::client
