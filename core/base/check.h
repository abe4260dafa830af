// DDSP_CHECK(condition, "what was believed"): for invariants of our own code, never for input of a caller or client.
#pragma once

#include <cstdio>
#include <cstdlib>

#define DDSP_CHECK(condition, belief)                                                                     \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", __FILE__, __LINE__, belief, #condition); \
      std::abort();                                                                                       \
    }                                                                                                     \
  } while (false)
