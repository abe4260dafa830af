// Tails that die away end in denormal numbers, which cost a hundred times what others do and cannot be heard.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace ddsp {

// While alive, denormal inputs and results of this thread's float arithmetic count as zero.
class ScopedFlushDenormals {
 public:
#if defined(__SSE__)
  ScopedFlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~ScopedFlushDenormals() { _mm_setcsr(saved_); }

 private:
  const unsigned saved_;
#else
  ScopedFlushDenormals() {}
#endif
};

}  // namespace ddsp
