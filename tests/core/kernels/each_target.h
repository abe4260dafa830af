// Runs a test body once for every instruction set that this machine has.
#pragma once

#include <cstdint>

#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace ddsp::kernels {

inline void ChooseTargets(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

template <class Body>
void ForEachTarget(Body body) {
#if HWY_ARCH_X86
  constexpr int64_t kGenerated = HWY_SSE4 | HWY_AVX2 | HWY_AVX3;
#else
  constexpr int64_t kGenerated = ~int64_t{0};
#endif
  for (int64_t rest = hwy::SupportedTargets() & kGenerated; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    ChooseTargets(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  ChooseTargets(0);
}

}  // namespace ddsp::kernels
