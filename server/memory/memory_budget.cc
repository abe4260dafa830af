#include "server/memory/memory_budget.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

MemoryBudget::Share& MemoryBudget::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  Release();
  budget_ = std::exchange(other.budget_, nullptr);
  use_ = other.use_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void MemoryBudget::Share::Release() {
  if (MemoryBudget* const budget = std::exchange(budget_, nullptr)) budget->Return(use_, std::exchange(bytes_, 0));
}

absl::Status MemoryBudget::Share::Grow(int64_t bytes) {
  if (budget_ == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(budget_->Reserve(use_, bytes));
  bytes_ += bytes;
  return absl::OkStatus();
}

absl::StatusOr<MemoryBudget::Share> MemoryBudget::Take(MemoryUse use, int64_t bytes) {
  RETURN_IF_ERROR(Reserve(use, bytes));
  Share share;
  share.budget_ = this;
  share.use_ = use;
  share.bytes_ = bytes;
  return share;
}

absl::Status MemoryBudget::Reserve(MemoryUse use, int64_t bytes) {
  int64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (limit_ > 0 && used + bytes > limit_) {
      return WithRetry(
          MakeError(Reason::kMemoryExhausted,
                    absl::StrCat(bytes, " bytes more would exceed the memory budget of ", limit_, ", of which ", used,
                                 " are taken"),
                    {{"bytes", absl::StrCat(bytes)}, {"used", absl::StrCat(used)}, {"budget", absl::StrCat(limit_)}}),
          kRetryDelay);
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  by_use_[static_cast<size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
  return absl::OkStatus();
}

void MemoryBudget::Return(MemoryUse use, int64_t bytes) {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  by_use_[static_cast<size_t>(use)].fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace ddsp::server
