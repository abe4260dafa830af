// What takes the curator time, on its own thread and at the start: loading voices and freeing them.
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/base/thread_scheduling.h"
#include "server/registry/curator.h"
#include "server/registry/model_id.h"

namespace ddsp::server {
namespace {

using Kind = VersionAction::Kind;

// Of the loading thread, below live streams.
constexpr int kNiceness = 5;

}  // namespace

std::optional<Curator::Task> Curator::NextTask() {
  if (stopping_) return std::nullopt;
  std::optional<Task> load;
  for (auto& [model, entry] : entries_) {
    const std::optional<VersionAction> action =
        entry.book.NextSlow([&entry = entry](int64_t version) { return entry.hosted.at(version)->pins() == 0; });
    if (!action.has_value()) continue;
    if (action->kind == Kind::kFree) {
      entry.book.Take(*action);
      return Task{.model = model, .action = *action, .directory = {}, .hosted = entry.hosted.at(action->version)};
    }
    // Another model's memory is freed before.
    if (!load.has_value()) {
      load = Task{.model = model,
                  .action = *action,
                  .directory = entry.found.versions.at(action->version).directory,
                  .hosted = nullptr};
    }
  }
  if (load.has_value()) {
    Entry& entry = entries_.at(load->model);
    entry.book.Take(load->action);
    Settle(load->model, entry);
  }
  return load;
}

bool Curator::WorkOnce() {
  std::optional<Task> task;
  {
    const MutexLock lock(&mu_);
    task = NextTask();
  }
  if (!task.has_value()) return false;
  changed_();
  task->action.kind == Kind::kLoad ? DoLoad(*task) : DoFree(*task);
  changed_();
  return true;
}

int Curator::SlotsOf(const std::string& model) const {
  const auto found = options_.slots_of_model.find(model);
  return found == options_.slots_of_model.end() ? options_.slots : std::min(options_.slots, found->second);
}

absl::StatusOr<std::shared_ptr<HostedVoice>> Curator::Prepare(const Task& task) {
  const VoiceLocation location{task.model, task.action.version, task.directory};
  ASSIGN_OR_RETURN(VoiceListing listing, LoadListing(location, SlotsOf(task.model), options_.make_engine));
  const auto voice = std::make_shared<HostedVoice>(task.model, task.action.version, std::move(listing.engine));
  voice->voice = std::move(listing.voice);
  voice->load_seconds = listing.load_seconds;
  RETURN_IF_ERROR(hosting_.Begin(*voice));
  bool measure = false;
  {
    const MutexLock lock(&mu_);
    measure = !starting_;
  }
  if (measure) hosting_.Measure(*voice);
  return voice;
}

void Curator::DoLoad(const Task& task) {
  absl::StatusOr<std::shared_ptr<HostedVoice>> voice = Prepare(task);
  const int64_t version = task.action.version;
  if (voice.ok()) {
    metrics_.ModelLoaded(task.model, version, (*voice)->load_seconds);
    options_.say(absl::StrFormat("loaded %s in %.2f s", (*voice)->id(), (*voice)->load_seconds));
  } else {
    options_.say(absl::StrCat("could not load ", ModelId(task.model, version), ": ", voice.status().message()));
  }
  bool serves = false;
  {
    const MutexLock lock(&mu_);
    Entry& entry = entries_.at(task.model);
    if (voice.ok()) entry.hosted[version] = *voice;
    const absl::Status status(voice.status().code(), Shortened(std::string(voice.status().message())));
    serves = entry.book.LoadEnded(version, status);
    if (!serves) entry.hosted.erase(version);
    Settle(task.model, entry);
    settled_.NotifyAll();
    work_.NotifyAll();
  }
  if (voice.ok() && !serves) hosting_.End(**voice);  // nobody has seen it
}

void Curator::DoFree(const Task& task) {
  hosting_.End(*task.hosted);
  options_.say(absl::StrCat("unloaded ", task.hosted->id()));
  const MutexLock lock(&mu_);
  Entry& entry = entries_.at(task.model);
  entry.hosted.erase(task.action.version);
  entry.book.Freed(task.action.version);
  Settle(task.model, entry);
  settled_.NotifyAll();
  work_.NotifyAll();
}

void Curator::Run() {
  pthread_setname_np(pthread_self(), "ddsp-models");
  LetOthersGoFirst(kNiceness);
  const bool polls = options_.mode == ControlMode::kPoll;
  const Clock& clock = Clock::Steady();
  absl::Time next_poll = polls ? clock.Now() + options_.poll_interval : absl::InfiniteFuture();
  while (true) {
    while (WorkOnce()) continue;
    if (clock.Now() >= next_poll) {
      Poll();
      next_poll = clock.Now() + options_.poll_interval;
      continue;
    }
    const MutexLock lock(&mu_);
    if (stopping_) return;
    if (HasWork()) continue;
    if (polls) {
      work_.WaitFor(&mu_, absl::ToChronoNanoseconds(next_poll - clock.Now()));
    } else {
      work_.Wait(&mu_);
    }
  }
}

bool Curator::HasWork() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& named) {
    const Entry& entry = named.second;
    return entry.book.NextSlow([&entry](int64_t version) { return entry.hosted.at(version)->pins() == 0; }).has_value();
  });
}

}  // namespace ddsp::server
