// Early return for absl::Status and absl::StatusOr.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define DDSP_CONCAT_INNER(a, b) a##b
#define DDSP_CONCAT(a, b) DDSP_CONCAT_INNER(a, b)

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                  \
  do {                                         \
    absl::Status ddsp_status = (expr);         \
    if (!ddsp_status.ok()) return ddsp_status; \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): declares or assigns x, or returns F's status.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_INNER(DDSP_CONCAT(ddsp_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                           \
  if (!tmp.ok()) return tmp.status();          \
  lhs = *std::move(tmp)
