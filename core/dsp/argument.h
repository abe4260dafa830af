// How functions on tensors reject bad arguments: as ATen does, with c10::ValueError, which is turned into a Status
// once, at the boundary of a processor, layer or model. The message names the argument, its value and what was
// expected.
#pragma once

#include <c10/util/Exception.h>

#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace ddsp {

// DDSP_CHECK_ARGUMENT(condition, "n_timesteps is ", n, ", expected ...").
#define DDSP_CHECK_ARGUMENT(condition, ...) TORCH_CHECK_VALUE(condition, __VA_ARGS__)

// Runs `f` and turns what ATen throws into INVALID_ARGUMENT (bad values and shapes) or INTERNAL (anything else).
template <typename F>
auto CatchTorch(F&& f) -> absl::StatusOr<std::invoke_result_t<F>> {
  try {
    return std::forward<F>(f)();
  } catch (const c10::NotImplementedError& error) {
    return absl::UnimplementedError(error.what_without_backtrace());
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    return absl::InvalidArgumentError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace ddsp
