// A voice that clients take away and bring back, and of which there are never enough; one client at a time.
#pragma once

#include "core/base/mutex.h"

namespace ddsp::soak {

inline constexpr char kUnderstudy[] = "understudy";
inline constexpr int kUnderstudySlots = 3;

class Understudy {
 public:
  Understudy() : lock_(&TheMutex()) {}

 private:
  static Mutex& TheMutex() {
    static Mutex& mutex = *new Mutex;
    return mutex;
  }
  const MutexLock lock_;
};

}  // namespace ddsp::soak
