#include "core/training/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <vector>

#include "core/base/mutex.h"

namespace ddsp::training {
namespace {

constexpr size_t kSmallest = size_t{1} << 18;  // bytes; below, the C library keeps what is freed
constexpr size_t kPage = size_t{1} << 21;      // a huge one

// Sizes in eighths of a power of two, so that one block serves several.
size_t RoundUp(size_t bytes) {
  size_t step = kSmallest / 8;
  while (step * 16 < bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

class KeepingAllocator final : public c10::Allocator {
 public:
  KeepingAllocator(c10::Allocator& beneath, int64_t limit) : beneath_(beneath), limit_(limit) {}

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes < kSmallest) return beneath_.allocate(bytes);
    auto* block = new Block{this, RoundUp(bytes), nullptr};
    {
      MutexLock lock(&mu_);
      const auto kept = kept_.find(block->bytes);
      if (kept != kept_.end() && !kept->second.empty()) {
        block->data = kept->second.back();
        kept->second.pop_back();
        kept_bytes_ -= static_cast<int64_t>(block->bytes);
      }
    }
    if (block->data == nullptr) block->data = Map(block->bytes);
    return {block->data, block, &Free, c10::Device(c10::DeviceType::CPU)};
  }

  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }

  int64_t kept_bytes() {
    MutexLock lock(&mu_);
    return kept_bytes_;
  }

 private:
  struct Block {
    KeepingAllocator* owner;
    size_t bytes;
    void* data;
  };

  void* Map(size_t bytes) {
    void* data = c10::alloc_cpu(bytes);  // throws as tensors do where there is no memory
    if (bytes >= kPage) {
      const auto begin = (reinterpret_cast<uintptr_t>(data) + kPage - 1) / kPage * kPage;
      const auto end = reinterpret_cast<uintptr_t>(data) + bytes;
      if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
    }
    return data;
  }

  static void Free(void* context) {
    auto* block = static_cast<Block*>(context);
    block->owner->Keep(block);
    delete block;
  }

  void Keep(Block* block) {
    {
      MutexLock lock(&mu_);
      if (kept_bytes_ + static_cast<int64_t>(block->bytes) <= limit_) {
        kept_[block->bytes].push_back(block->data);
        kept_bytes_ += static_cast<int64_t>(block->bytes);
        return;
      }
    }
    c10::free_cpu(block->data);
  }

  c10::Allocator& beneath_;
  const int64_t limit_;
  Mutex mu_;
  std::map<size_t, std::vector<void*>> kept_ ABSL_GUARDED_BY(mu_);  // by size
  int64_t kept_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

Mutex instance_mu;
// Never destroyed: tensors may outlive everything.
KeepingAllocator* instance ABSL_GUARDED_BY(instance_mu) = nullptr;

}  // namespace

void KeepTensorMemory(int64_t limit) {
  MutexLock lock(&instance_mu);
  if (instance != nullptr) return;
  instance = new KeepingAllocator(*c10::GetAllocator(c10::DeviceType::CPU), limit);
  c10::SetAllocator(c10::DeviceType::CPU, instance, /*priority=*/100);
}

int64_t KeptTensorBytes() {
  MutexLock lock(&instance_mu);
  return instance == nullptr ? 0 : instance->kept_bytes();
}

}  // namespace ddsp::training
