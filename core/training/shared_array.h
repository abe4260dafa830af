// Values that lie in memory or in a mapped file, whoever holds them; copies share them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace ddsp::training {

template <class T>
class SharedArray {
 public:
  SharedArray() = default;
  // Implicit, so that a vector can stand where one of these is wanted.
  SharedArray(std::vector<T> values) {  // NOLINT(google-explicit-constructor)
    const auto owned = std::make_shared<const std::vector<T>>(std::move(values));
    values_ = *owned;
    owner_ = owned;
  }
  // `values` live as long as `owner`.
  SharedArray(std::shared_ptr<const void> owner, absl::Span<const T> values)
      : owner_(std::move(owner)), values_(values) {}

  size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  const T* data() const { return values_.data(); }
  const T& operator[](size_t i) const { return values_[i]; }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  absl::Span<const T> span() const { return values_; }

  friend bool operator==(const SharedArray& a, const SharedArray& b) { return a.values_ == b.values_; }

 private:
  std::shared_ptr<const void> owner_;
  absl::Span<const T> values_;
};

}  // namespace ddsp::training
