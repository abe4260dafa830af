#include "server/registry/curator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "server/registry/model_id.h"

namespace ddsp::server {
namespace {

using Kind = VersionAction::Kind;

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
    const bool required = RepositoryOf(entry.found.directory).required;
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
    const absl::Status fetched = repository.remote == nullptr ? absl::OkStatus() : repository.remote->Refresh();
    if (!fetched.ok()) options_.say(std::string(fetched.message()));
    absl::StatusOr<Scan> found = ScanRepository(repository.directory);
    // What was mirrored before serves; without anything the store's error is the reason.
    if (found.ok() && found->empty() && !fetched.ok()) found = fetched;
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

const Curator::Repository& Curator::RepositoryOf(const std::string& model_directory) const {
  return *std::find_if(options_.repositories.begin(), options_.repositories.end(), [&](const Repository& repository) {
    return model_directory.starts_with(repository.directory + "/");
  });
}

void Curator::FetchRemote(const std::string& model, int64_t version) {
  for (const Repository& repository : options_.repositories) {
    if (repository.remote == nullptr || version == 0) continue;
    const absl::Status fetched = repository.remote->Fetch(model, version);
    if (!fetched.ok()) options_.say(std::string(fetched.message()));
  }
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
  return ModelNotFound(model);
}

std::string Curator::Shortened(std::string text) const {
  for (const Repository& repository : options_.repositories) {
    text = absl::StrReplaceAll(text, {{repository.directory + "/", ""}});
  }
  return text;
}

}  // namespace ddsp::server
