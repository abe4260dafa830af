// Memory of tensors that a training step needs again and again.
#pragma once

#include <cstdint>

namespace ddsp::training {

// From now on this process keeps large blocks of tensors that are freed for those to come, as the steps of a training
// ask for the same sizes: what the C library gives back to the system comes back page by page, each cleared, which
// takes a quarter of a step. Blocks are kept until the process ends, or KeptTensorBytes() is more than `limit`. Any
// thread, any time; the first call decides.
void KeepTensorMemory(int64_t limit = int64_t{2} << 30);

// Freed and kept.
int64_t KeptTensorBytes();

}  // namespace ddsp::training
