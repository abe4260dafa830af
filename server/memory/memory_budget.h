// What may be kept for clients at once: buffers of sessions, bodies of calls. Asked before anything is kept, so that
// new work is refused before the process swells. Thread-safe, without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp::server {

enum class MemoryUse { kSessions, kCalls };

class MemoryBudget {
 public:
  // A part of the budget, given back when destroyed. Move-only.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share() { Release(); }
    void Release();
    // Takes more. Errors: MEMORY_EXHAUSTED; it is as it was then.
    absl::Status Grow(int64_t bytes);
    int64_t bytes() const { return bytes_; }

   private:
    friend class MemoryBudget;
    MemoryBudget* budget_ = nullptr;
    MemoryUse use_ = MemoryUse::kSessions;
    int64_t bytes_ = 0;
  };

  // In bytes; 0: no bound, all is counted nevertheless.
  explicit MemoryBudget(int64_t limit) : limit_(limit) {}

  // Errors: MEMORY_EXHAUSTED, to be tried again.
  absl::StatusOr<Share> Take(MemoryUse use, int64_t bytes);

  int64_t limit() const { return limit_; }
  int64_t used() const { return used_.load(std::memory_order_relaxed); }
  int64_t used(MemoryUse use) const { return by_use_[static_cast<size_t>(use)].load(std::memory_order_relaxed); }

 private:
  absl::Status Reserve(MemoryUse use, int64_t bytes);
  void Return(MemoryUse use, int64_t bytes);

  const int64_t limit_;
  std::atomic<int64_t> used_ = 0;
  std::array<std::atomic<int64_t>, 2> by_use_{};
};

}  // namespace ddsp::server
