#include "server/metrics/build.h"

#ifndef DDSP_COMMIT
#define DDSP_COMMIT "unknown"
#endif
#ifndef DDSP_CUDA_VERSION
#define DDSP_CUDA_VERSION "none"
#endif

namespace ddsp::server {

const BuildFacts& Build() {
  static constexpr BuildFacts kBuild = {.version = DDSP_VERSION, .commit = DDSP_COMMIT, .cuda = DDSP_CUDA_VERSION};
  return kBuild;
}

}  // namespace ddsp::server
