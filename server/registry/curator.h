// Keeps the registry as repositories, operators and the version policy want it: loads, verifies, swaps and frees voices
// while others play. Decides with ModelBook under one lock, and works outside of it on a thread of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/registry/hosting.h"
#include "server/registry/model_book.h"
#include "server/registry/model_control.h"
#include "server/registry/model_status.h"
#include "server/registry/registry.h"
#include "server/registry/remote_repository.h"
#include "server/registry/repository_loader.h"
#include "server/registry/repository_scan.h"

namespace ddsp::server {

// What is loaded without being asked for by name.
enum class ControlMode {
  kNone,      // what is there at the start
  kExplicit,  // nothing but Options::load_models
  kPoll,      // what is there, and whatever comes
};

class Curator : public ModelControl {
 public:
  struct Repository {
    std::string directory;
    // It must be there at the start, and each of its models must have a version that serves then. One that is not
    // required may also come later.
    bool required = true;
    // `directory` is the mirror of this one; null: it is the repository itself.
    std::shared_ptr<RemoteRepository> remote = nullptr;
  };
  struct Options {
    // A model that several of them have is taken from the first.
    std::vector<Repository> repositories;
    ControlMode mode = ControlMode::kNone;
    VersionPolicies policies;
    // kExplicit: "violin", "violin/3"; "*" is every model.
    std::vector<std::string> load_models;
    absl::Duration poll_interval = absl::Seconds(15);  // kPoll
    int slots = 1;                                     // of each version
    std::map<std::string, int> slots_of_model = {};    // fewer, for some
    int start_threads = 2;                             // that load at the start
    EngineMaker make_engine = MakeVoiceEngine;
    // Told, line by line, what happened.
    std::function<void(const std::string&)> say = [](const std::string&) {};
  };

  // All outlive the curator.
  Curator(Options options, Registry& registry, Hosting& hosting, ServerMetrics& metrics);
  ~Curator() override;

  // Loads what the mode says; from then on `changed` runs, on any thread and with no lock held, after each change.
  // Once. Errors: NOT_FOUND (a repository or a model of load_models), FAILED_PRECONDITION with all that is wrong with
  // models of which nothing serves; the rest serves nevertheless.
  absl::Status Start(std::function<void()> changed);
  // Ends loading, and calls that wait for it. What serves goes on.
  void Stop();

  absl::Status Load(const std::string& model, int64_t version) override;
  absl::Status Unload(const std::string& model, int64_t version) override;
  absl::Status SetAlias(const std::string& model, const std::string& alias, int64_t version) override;
  absl::Status DeleteAlias(const std::string& model, const std::string& alias) override;

  // Looks into the repositories and asks for what is new there, as kPoll does by itself.
  void Poll();

  // By name.
  std::vector<ModelStatus> Models() const;
  // Errors: MODEL_NOT_FOUND.
  absl::StatusOr<ModelStatus> Get(const std::string& model) const;
  // Models that have changed since, by revision; one of which nothing is known any more has no versions.
  std::vector<ModelStatus> ChangedSince(int64_t revision) const;

 private:
  // A model, as far as it is not in its book.
  struct Entry {
    ModelBook book;
    FoundModel found;
    std::map<int64_t, std::shared_ptr<HostedVoice>> hosted;
    ModelStatus announced;
    std::set<int64_t> metered;  // versions that metrics tell of
  };
  struct Task {
    std::string model;
    VersionAction action;
    std::string directory;                // kLoad
    std::shared_ptr<HostedVoice> hosted;  // kFree
  };
  using Scan = std::map<std::string, FoundModel>;

  // The repository whose model lies in `directory`.
  const Repository& RepositoryOf(const std::string& model_directory) const;
  // Brings a version to this machine, where it is not. What fails is said, and found missing later.
  void FetchRemote(const std::string& model, int64_t version);
  // Reads the repositories; one that cannot be read is as it was. Returns what is wrong with required ones.
  absl::Status Look(ModelBook::NewVersions fresh) ABSL_LOCKS_EXCLUDED(mu_);
  void Merge(const std::string& model, const FoundModel& found, ModelBook::NewVersions fresh)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status AskAtStart() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Shortcomings() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Does what takes no time, and tells registry, metrics and watchers of what is new.
  void Settle(const std::string& model, Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  ModelRoutes RoutesOf(const Entry& entry) const;
  ModelStatus StatusOf(const std::string& model, const Entry& entry) const;

  // Does what takes time. Returns whether there was anything to do.
  bool WorkOnce() ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<Task> NextTask() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DoLoad(const Task& task) ABSL_LOCKS_EXCLUDED(mu_);
  void DoFree(const Task& task) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::shared_ptr<HostedVoice>> Prepare(const Task& task);
  int SlotsOf(const std::string& model) const;
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run();

  // Waits until a load that was asked for has ended.
  absl::Status Await(const std::string& model, int64_t version, int64_t loads_before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<Entry*> Known(const std::string& model) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The version that a request names, of those that are known; 0 stands for the newest.
  absl::StatusOr<int64_t> KnownVersion(const std::string& model, const Entry& entry, int64_t version) const;
  absl::Status RewriteAliases(const std::string& model, const std::function<absl::Status(VoiceAliases&)>& change);
  // Without where repositories lie on this machine.
  std::string Shortened(std::string text) const;

  const Options options_;
  Registry& registry_;
  Hosting& hosting_;
  ServerMetrics& metrics_;
  std::function<void()> changed_;  // constant after Start()

  // One look into the repositories, or change of their aliases, at a time. Taken before mu_.
  Mutex repository_mu_;
  std::set<std::string> left_out_ ABSL_GUARDED_BY(repository_mu_);  // models that another repository has too

  mutable Mutex mu_;
  CondVar work_;     // something may be to be done
  CondVar settled_;  // some load has ended
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  int64_t revision_ ABSL_GUARDED_BY(mu_) = 0;
  bool starting_ ABSL_GUARDED_BY(mu_) = true;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace ddsp::server
