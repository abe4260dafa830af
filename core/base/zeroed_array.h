#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace ddsp {

// An array of fixed size that begins as zeros. Memory is taken page by page, when it is first written: what is never
// used costs nothing.
template <typename T>
class ZeroedArray {
 public:
  explicit ZeroedArray(size_t size) : data_(static_cast<T*>(std::calloc(size > 0 ? size : 1, sizeof(T)))) {
    static_assert(std::is_arithmetic_v<T>, "zero bytes are a zero");
    if (data_ == nullptr) throw std::bad_alloc();
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T, Free> data_;
};

}  // namespace ddsp
