#include "server/jobs/change_hub.h"

#include <utility>

namespace ddsp::server {

ChangeHub::Subscription::~Subscription() {
  const MutexLock lock(&hub_->mu_);
  hub_->listeners_.erase(key_);
}

std::unique_ptr<ChangeHub::Subscription> ChangeHub::Subscribe(Listener listener) {
  const MutexLock lock(&mu_);
  listeners_.emplace(next_key_, std::move(listener));
  return std::make_unique<Subscription>(this, next_key_++);
}

void ChangeHub::Publish(const std::string& job_id) {
  const MutexLock lock(&mu_);
  for (const auto& [key, listener] : listeners_) listener(job_id);
}

}  // namespace ddsp::server
