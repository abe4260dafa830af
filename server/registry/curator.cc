#include "server/registry/curator.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/models/voice_name.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using Kind = VersionAction::Kind;

// Of a client's text that is repeated to it.
constexpr size_t kMostEcho = 80;
// Of the loading thread, below live streams.
constexpr int kNiceness = 5;

std::string Id(const std::string& model, int64_t version) { return absl::StrCat(model, "/", version); }

absl::Status NotFound(const std::string& what) {
  const std::string asked = what.substr(0, kMostEcho);
  return MakeError(Reason::kModelNotFound, absl::StrCat("no model '", asked, "' in the repositories"),
                   {{"model", asked}});
}

absl::Status Stopped() { return MakeError(Reason::kServerDraining, "this server is stopping"); }

// Without slashes at the end of directories.
Curator::Options Normal(Curator::Options options) {
  for (Curator::Repository& repository : options.repositories) {
    std::string& directory = repository.directory;
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  }
  return options;
}

// In words that follow "violin/3 ".
std::string WhyAbsent(const ModelBook::Version& version) {
  switch (version.state) {
    case VersionState::kLoading:
      return "is being loaded";
    case VersionState::kUnavailable:
      return "could not be loaded";
    case VersionState::kUnloading:
      return "was unloaded";
    default:
      return version.refused ? "was unloaded" : "is not loaded";
  }
}

}  // namespace

Curator::Curator(Options options, Registry& registry, Hosting& hosting, ServerMetrics& metrics)
    : options_(Normal(std::move(options))), registry_(registry), hosting_(hosting), metrics_(metrics) {}

Curator::~Curator() {
  Stop();
  for (auto& [model, entry] : entries_) {
    registry_.SetRoutes(model, {});
    for (const auto& [version, voice] : entry.hosted) {
      if (voice->Close([] {})) hosting_.End(*voice);
    }
  }
}

void Curator::Stop() {
  {
    const MutexLock lock(&mu_);
    stopping_ = true;
    work_.NotifyAll();
    settled_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

// ---------------------------------------------------------------- the start

absl::Status Curator::Start(std::function<void()> changed) {
  changed_ = std::move(changed);
  const bool all = options_.mode != ControlMode::kExplicit;
  absl::Status status = Look(all ? ModelBook::NewVersions::kAsk : ModelBook::NewVersions::kLeave);
  {
    const MutexLock lock(&mu_);
    if (!all) status.Update(AskAtStart());
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < options_.start_threads; ++i) {
    threads.emplace_back([this] {
      while (WorkOnce()) continue;
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (WorkOnce()) continue;  // what became of the last one's failure
  std::vector<std::shared_ptr<HostedVoice>> loaded;
  {
    const MutexLock lock(&mu_);
    starting_ = false;
    for (const auto& [model, entry] : entries_) {
      for (const auto& [version, voice] : entry.hosted) loaded.push_back(voice);
    }
    status.Update(Shortcomings());
  }
  // One after the other, on a machine that does nothing else.
  for (const std::shared_ptr<HostedVoice>& voice : loaded) hosting_.Measure(*voice);
  thread_ = std::thread([this] { Run(); });
  changed_();
  return status;
}

absl::Status Curator::AskAtStart() {
  std::vector<std::string> missing;
  for (const std::string& reference : options_.load_models) {
    const std::vector<std::string> parts = absl::StrSplit(reference, absl::MaxSplits('/', 1));
    int64_t version = 0;
    bool found = false;
    for (auto& [model, entry] : entries_) {
      if (reference != "*" && model != parts[0]) continue;
      if (parts.size() == 1) {
        entry.book.AskForAll();
        found = true;
      } else if (absl::SimpleAtoi(parts[1], &version) && entry.book.Find(version) != nullptr) {
        entry.book.Ask(version);
        found = true;
      }
      Settle(model, entry);
    }
    if (!found && reference != "*") missing.push_back(reference);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("no such voice in the repositories: ", absl::StrJoin(missing, ", ")));
}

absl::Status Curator::Shortcomings() const {
  std::vector<std::string> problems;
  for (const auto& [model, entry] : entries_) {
    if (entry.book.serving() != 0) continue;
    const bool required = std::any_of(
        options_.repositories.begin(), options_.repositories.end(), [&entry = entry](const Repository& repository) {
          return repository.required && entry.found.directory.starts_with(repository.directory + "/");
        });
    for (const auto& [number, version] : entry.book.versions()) {
      if (!required || version.state != VersionState::kUnavailable) continue;
      problems.push_back(absl::StrCat(entry.found.directory, "/", number, ": ", version.reason));
    }
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrJoin(problems, "\n"));
}

// ---------------------------------------------------------------- repositories

absl::Status Curator::Look(ModelBook::NewVersions fresh) {
  const MutexLock one_at_a_time(&repository_mu_);
  absl::Status status;
  std::set<std::string> unreadable;
  Scan all;
  for (const Repository& repository : options_.repositories) {
    absl::StatusOr<Scan> found = ScanRepository(repository.directory);
    if (!found.ok()) {
      unreadable.insert(repository.directory);
      if (repository.required) status.Update(found.status());
      continue;
    }
    for (auto& [model, content] : *found) {
      if (!all.emplace(model, content).second && left_out_.insert(content.directory).second) {
        options_.say(absl::StrCat(content.directory, " is left out: ", model, " is in ", all[model].directory, " too"));
      }
    }
  }
  const MutexLock lock(&mu_);
  for (auto& [model, entry] : entries_) {
    if (all.count(model) > 0 || entry.found.versions.empty()) continue;
    const std::string repository = entry.found.directory.substr(0, entry.found.directory.rfind('/'));
    if (unreadable.count(repository) > 0) continue;
    FoundModel nothing = entry.found;
    nothing.versions.clear();
    Merge(model, nothing, fresh);
  }
  for (const auto& [model, found] : all) Merge(model, found, fresh);
  return status;
}

void Curator::Merge(const std::string& model, const FoundModel& found, ModelBook::NewVersions fresh) {
  const auto [at, is_new] = entries_.try_emplace(model);
  Entry& entry = at->second;
  if (is_new) entry.book = ModelBook(options_.policies.For(model));
  FoundModel now = found;
  for (const auto& [version, before] : entry.found.versions) {
    const auto again = now.versions.find(version);
    if (again == now.versions.end()) {
      // Only poll takes away what serves because its files are gone.
      if (options_.mode != ControlMode::kPoll || !IsGone(before.directory)) now.versions[version] = before;
    } else if (again->second.fingerprint != before.fingerprint && entry.book.Find(version) != nullptr) {
      entry.book.TryAgain(version);
    }
  }
  if (!now.aliases_status.ok()) {
    options_.say(absl::StrCat(now.directory, ": aliases stay as they are: ", now.aliases_status.message()));
    now.aliases = entry.found.aliases;
  }
  entry.found = std::move(now);
  std::set<int64_t> published;
  for (const auto& [version, place] : entry.found.versions) published.insert(version);
  entry.book.Find(published, entry.found.aliases, fresh);
  Settle(model, entry);
  work_.NotifyAll();
}

void Curator::Poll() {
  const absl::Status status = Look(ModelBook::NewVersions::kAsk);
  if (!status.ok()) options_.say(std::string(status.message()));
  changed_();
}

// ---------------------------------------------------------------- requests

absl::StatusOr<Curator::Entry*> Curator::Known(const std::string& model) {
  const auto found = entries_.find(model);
  if (found == entries_.end() || found->second.book.versions().empty()) return NotFound(model);
  return &found->second;
}

absl::StatusOr<int64_t> Curator::KnownVersion(const std::string& model, const Entry& entry, int64_t version) const {
  if (version == 0 && entry.book.newest() == 0) return NotFound(model);
  if (version == 0) version = entry.book.newest();
  const ModelBook::Version* known = entry.book.Find(version);
  if (known == nullptr || !known->published) return NotFound(Id(model, version));
  return version;
}

absl::Status Curator::Load(const std::string& model, int64_t version) {
  const absl::Status seen = Look(ModelBook::NewVersions::kLeave);
  absl::Status status;
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    ASSIGN_OR_RETURN(const int64_t wanted, KnownVersion(model, *entry, version));
    const int64_t loads = entry->book.Find(wanted)->loads;
    if (version == 0) entry->book.AskForAll();
    entry->book.Ask(wanted);
    Settle(model, *entry);
    status = Await(model, wanted, loads);
  }
  changed_();
  return status;
}

absl::Status Curator::Await(const std::string& model, int64_t number, int64_t loads_before) {
  work_.NotifyAll();
  while (!stopping_) {
    const ModelBook::Version* version = entries_.at(model).book.Find(number);
    if (version == nullptr) return NotFound(Id(model, number));
    if (version->state == VersionState::kReady) return absl::OkStatus();
    const ErrorMetadata metadata = {{"model", model}, {"version", absl::StrCat(number)}};
    if (version->state == VersionState::kUnavailable && version->loads > loads_before) {
      return MakeError(Reason::kModelLoadFailed,
                       absl::StrCat(Id(model, number), " could not be loaded: ", version->reason), metadata);
    }
    if (version->refused) {
      return MakeError(Reason::kModelNotReady, absl::StrCat(Id(model, number), " was unloaded meanwhile"), metadata);
    }
    settled_.Wait(&mu_);
  }
  return Stopped();
}

absl::Status Curator::Unload(const std::string& model, int64_t version) {
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    std::vector<int64_t> refused = {version};
    if (version == 0) {
      refused.clear();
      for (const auto& [number, known] : entry->book.versions()) refused.push_back(number);
    } else if (entry->book.Find(version) == nullptr) {
      return NotFound(Id(model, version));
    }
    for (const int64_t number : refused) entry->book.Refuse(number);
    Settle(model, *entry);
    work_.NotifyAll();
    settled_.NotifyAll();
  }
  changed_();
  return absl::OkStatus();
}

absl::Status Curator::SetAlias(const std::string& model, const std::string& alias, int64_t version) {
  if (!IsVoiceName(alias)) {
    return MakeError(Reason::kInvalidModelRequest,
                     absl::StrCat("'", alias.substr(0, kMostEcho), "' is no name for an alias: [a-z][a-z0-9-]{0,62}"));
  }
  const absl::Status seen = Look(ModelBook::NewVersions::kLeave);
  int64_t target = 0;
  absl::Status status;
  {
    const MutexLock lock(&mu_);
    ASSIGN_OR_RETURN(Entry* const entry, Known(model));
    ASSIGN_OR_RETURN(target, KnownVersion(model, *entry, version));
    const ModelBook::Version known = *entry->book.Find(target);
    entry->book.Hold(target);
    entry->book.Ask(target);
    if (!known.pinned) entry->book.Unpin(target);  // the alias will hold it
    Settle(model, *entry);
    status = Await(model, target, known.loads);
  }
  if (status.ok()) {
    status = RewriteAliases(model, [&](VoiceAliases& aliases) {
      aliases[alias] = target;
      return absl::OkStatus();
    });
  }
  {
    const MutexLock lock(&mu_);
    Entry& entry = entries_.at(model);
    entry.book.Unhold(target);
    Settle(model, entry);
    work_.NotifyAll();
  }
  changed_();
  return status;
}

absl::Status Curator::DeleteAlias(const std::string& model, const std::string& alias) {
  {
    const MutexLock lock(&mu_);
    RETURN_IF_ERROR(Known(model).status());
  }
  const absl::Status status = RewriteAliases(model, [&](VoiceAliases& aliases) {
    return aliases.erase(alias) > 0 ? absl::OkStatus() : NotFound(absl::StrCat(model, "@", alias));
  });
  changed_();
  return status;
}

absl::Status Curator::RewriteAliases(const std::string& model,
                                     const std::function<absl::Status(VoiceAliases&)>& change) {
  const MutexLock one_at_a_time(&repository_mu_);
  FoundModel found;
  {
    const MutexLock lock(&mu_);
    found = entries_.at(model).found;
  }
  absl::StatusOr<VoiceAliases> aliases = ReadAliases(found.directory);
  if (aliases.ok()) RETURN_IF_ERROR(change(*aliases));
  absl::Status written = aliases.status();
  written.Update(aliases.ok() ? WriteAliases(found.directory, *aliases) : absl::OkStatus());
  if (!written.ok()) {
    return MakeError(Reason::kRepositoryNotWritable,
                     absl::StrCat("aliases of ", model, " stay: ", Shortened(std::string(written.message()))),
                     {{"model", model}});
  }
  found.aliases = *std::move(aliases);
  const MutexLock lock(&mu_);
  Merge(model, found, ModelBook::NewVersions::kLeave);
  work_.NotifyAll();
  return absl::OkStatus();
}

// ---------------------------------------------------------------- what takes no time

void Curator::Settle(const std::string& model, Entry& entry) {
  std::vector<std::shared_ptr<HostedVoice>> retired;
  while (const std::optional<VersionAction> action = entry.book.NextQuick()) {
    entry.book.Take(*action);
    const std::shared_ptr<HostedVoice>& voice = entry.hosted.at(action->version);
    if (action->kind == Kind::kRetire) {
      retired.push_back(voice);
    } else {
      voice->Open();
    }
  }
  // First the names, then the door: whoever finds it closed asks again and is told of another.
  registry_.SetRoutes(model, RoutesOf(entry));
  for (const std::shared_ptr<HostedVoice>& voice : retired) {
    // Opened again in the same breath, or closed for good.
    const ModelBook::Version* version = entry.book.Find(voice->version());
    if (version->state != VersionState::kUnloading) continue;
    const bool drained = voice->Close([this] {
      const MutexLock lock(&mu_);
      work_.NotifyAll();
    });
    if (drained) work_.NotifyAll();
  }
  ModelStatus status = StatusOf(model, entry);
  status.revision = entry.announced.revision;
  if (status == entry.announced) return;
  status.revision = ++revision_;
  entry.announced = std::move(status);
  for (const auto& [number, version] : entry.book.versions()) {
    metrics_.SetModelState(model, number, NameOf(version.state));
    entry.metered.insert(number);
  }
  for (auto number = entry.metered.begin(); number != entry.metered.end();) {
    const bool known = entry.book.Find(*number) != nullptr;
    if (!known) metrics_.ForgetModel(model, *number);
    number = known ? std::next(number) : entry.metered.erase(number);
  }
}

ModelRoutes Curator::RoutesOf(const Entry& entry) const {
  ModelRoutes routes;
  for (const auto& [number, version] : entry.book.versions()) {
    if (version.state == VersionState::kReady) {
      routes.serving[number] = entry.hosted.at(number);
    } else if (version.published) {
      routes.absent[number] = WhyAbsent(version);
    }
  }
  if (!routes.serving.empty() || !routes.absent.empty()) routes.aliases = entry.book.Aliases();
  return routes;
}

ModelStatus Curator::StatusOf(const std::string& model, const Entry& entry) const {
  ModelStatus status{.name = model, .aliases = entry.book.Aliases(), .serving = entry.book.serving()};
  for (const auto& [number, known] : entry.book.versions()) {
    VersionStatus version{
        .version = number, .state = known.state, .reason = known.reason, .pinned = known.pinned && !known.refused};
    if (const auto hosted = entry.hosted.find(number); hosted != entry.hosted.end()) {
      HostedVoice& voice = *hosted->second;
      version.voice = voice.voice;
      version.slots = voice.slots().slots();
      version.bytes_per_slot = voice.bytes_per_slot();
      version.load_seconds = voice.load_seconds;
    }
    status.versions.push_back(std::move(version));
  }
  return status;
}

std::vector<ModelStatus> Curator::ChangedSince(int64_t revision) const {
  std::vector<ModelStatus> models;
  const MutexLock lock(&mu_);
  for (const auto& [name, entry] : entries_) {
    if (entry.announced.revision <= revision) continue;
    models.push_back(entry.announced);
    for (VersionStatus& version : models.back().versions) {
      const auto hosted = entry.hosted.find(version.version);
      if (hosted != entry.hosted.end()) version.sessions = hosted->second->pins();
    }
  }
  std::sort(models.begin(), models.end(),
            [](const ModelStatus& a, const ModelStatus& b) { return a.revision < b.revision; });
  return models;
}

std::vector<ModelStatus> Curator::Models() const {
  std::vector<ModelStatus> models = ChangedSince(0);
  std::erase_if(models, [](const ModelStatus& model) { return model.versions.empty(); });
  std::sort(models.begin(), models.end(), [](const ModelStatus& a, const ModelStatus& b) { return a.name < b.name; });
  return models;
}

absl::StatusOr<ModelStatus> Curator::Get(const std::string& model) const {
  for (ModelStatus& status : Models()) {
    if (status.name == model) return std::move(status);
  }
  return NotFound(model);
}

// ---------------------------------------------------------------- what takes time

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

absl::StatusOr<std::shared_ptr<HostedVoice>> Curator::Prepare(const Task& task) {
  const VoiceLocation location{task.model, task.action.version, task.directory};
  ASSIGN_OR_RETURN(VoiceListing listing, LoadListing(location, options_.slots, options_.make_engine));
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
    options_.say(absl::StrCat("could not load ", Id(task.model, version), ": ", voice.status().message()));
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
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
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

std::string Curator::Shortened(std::string text) const {
  for (const Repository& repository : options_.repositories) {
    text = absl::StrReplaceAll(text, {{repository.directory + "/", ""}});
  }
  return text;
}

}  // namespace ddsp::server
