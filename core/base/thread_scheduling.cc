#include "core/base/thread_scheduling.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace ddsp {
namespace {

constexpr uint64_t kSliceNs = 100'000;  // the kernel's least

// struct sched_attr of <linux/sched/types.h>, which newer C libraries define as well.
struct SchedulingAttributes {
  uint32_t size = 0, policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);  // SCHED_ATTR_SIZE_VER0

}  // namespace

void LetOthersGoFirst(int niceness) { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), niceness); }

void RunSoonAfterWaking() {
  SchedulingAttributes attributes;
  constexpr pid_t kSelf = 0;
  if (syscall(SYS_sched_getattr, kSelf, &attributes, sizeof(attributes), 0) != 0) return;
  attributes.size = sizeof(attributes);
  attributes.runtime_ns = kSliceNs;
  syscall(SYS_sched_setattr, kSelf, &attributes, 0);
}

}  // namespace ddsp
