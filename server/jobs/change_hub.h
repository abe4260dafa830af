// Tells who listens that a job has changed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/mutex.h"

namespace ddsp::server {

class ChangeHub {
 public:
  // Told the id of a job after it has changed; an empty id: any may have (messages were missed, read again). Comes on
  // whichever thread changed the job or heard of it; must be quick and must not call the hub.
  using Listener = std::function<void(const std::string& job_id)>;

  // Ends the listening when it is destroyed, after which the listener is not called any more. Outlived by the hub.
  class Subscription {
   public:
    Subscription(ChangeHub* hub, int64_t key) : hub_(hub), key_(key) {}
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    ChangeHub* const hub_;
    const int64_t key_;
  };

  std::unique_ptr<Subscription> Subscribe(Listener listener);
  void Publish(const std::string& job_id);

 private:
  Mutex mu_;
  int64_t next_key_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<int64_t, Listener> listeners_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
