// The whole server in one object: who talks to whom is known here alone.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "server/registry/curator.h"
#include "server/registry/registry.h"
#include "server/server_options.h"

namespace ddsp::server {

class Server {
 public:
  // Serves the voices of `registry` when it returns, and no others ever. `clock` outlives the server. Errors: an
  // address that cannot be listened on, a device that this server does not have.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, std::unique_ptr<Registry> registry,
                                                       const Clock& clock = Clock::Steady());
  // The same with the voices of the repositories that the options name; they come and go while it serves. Errors: also
  // those of repositories and voices.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const Clock& clock = Clock::Steady());
  // Sessions that are alive are cut.
  ~Server();

  int port() const;
  int metrics_port() const;  // 0: none
  int admin_port() const;    // 0: none
  int health_port() const;   // 0: none

  // Health is NOT_SERVING; new sessions are still taken.
  void AnnounceDrain();
  // Refuses new sessions and tells live ones; those that asked for snapshots end with their last one. Health is
  // NOT_SERVING.
  void BeginDrain();
  // Waits for live sessions; after `timeout` ends those that are left with SERVER_DRAINING. BeginDrain() was called.
  void FinishDrain(absl::Duration timeout);

  // Reads the files of keys again, whether they have changed or not.
  void ReloadKeys();

  // The voices' keeper; null: they were given at the start.
  Curator* curator();

  // House-keeping, once a second by a thread of the server: idle and unread sessions, gauges.
  void KeepHouse();

  // Sessions and streams that wait with their config.
  int live_sessions() const;
  // The scrape.
  std::string MetricsText() const;

 private:
  struct Parts;
  enum class Voices { kGiven, kOfRepositories };
  static absl::StatusOr<std::unique_ptr<Server>> Open(const ServerOptions& options, std::unique_ptr<Registry> registry,
                                                      Voices voices, const Clock& clock);
  explicit Server(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace ddsp::server
