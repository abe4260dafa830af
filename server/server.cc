#include "server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/ticker.h"
#include "core/cuda/engine_device.h"
#include "server/errors/errors.h"
#include "server/metrics/metrics_endpoint.h"
#include "server/metrics/server_metrics.h"
#include "server/registry/hosting.h"
#include "server/rpc/features_service.h"
#include "server/rpc/graph_service.h"
#include "server/rpc/health_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/synthesis_service.h"
#include "server/rpc/wire.h"
#include "server/rpc/work_queue.h"
#include "server/scheduler/device_worker.h"
#include "server/session/crew.h"
#include "server/session/session_roster.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kHouseKeeping = absl::Seconds(1);
// For calls to carry their status out, once their sessions were ended.
constexpr absl::Duration kLastWords = absl::Seconds(2);

int Cores() { return static_cast<int>(std::thread::hardware_concurrency()); }

bool OnGpu(const ServerOptions& options) {
  const absl::StatusOr<EngineDevice> device = EngineDevice::Parse(options.device);
  return device.ok() && device->is_gpu();
}

// A GPU steps one batch of all streams, which shares its work out to the model threads itself.
int DeviceThreadCount(const ServerOptions& options) { return OnGpu(options) ? 1 : options.model_threads(); }

double ProcessCpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int CrewThreads(const ServerOptions& options) {
  return options.crew_threads > 0 ? options.crew_threads : std::max(1, Cores() - options.model_threads());
}

BatchFormer::Options BatchOptions(const ServerOptions& options) {
  const int streams = OnGpu(options) ? std::max(options.max_batch, options.max_sessions) : options.max_batch;
  return {.max_streams = static_cast<size_t>(streams), .max_wait = options.max_batch_wait};
}

}  // namespace

// In order of dependence: what comes later uses what came before, and is destroyed first.
struct Server::Parts {
  Parts(const ServerOptions& options, std::unique_ptr<Registry> voices, const Clock& clock)
      : options(options),
        clock(clock),
        registry(std::move(voices)),
        load({.workers = DeviceThreadCount(options),
              .cores = OnGpu(options) ? 0 : Cores(),
              .batches = BatchOptions(options),
              .admission = {.max_load = options.max_device_load}},
             {}, clock),
        engines(DeviceThreadCount(options)),
        hosting(engines, load, metrics, clock),
        scheduler(BatchOptions(options), load, clock),
        roster({.max_sessions = options.max_sessions}, *registry, metrics, load),
        crew(CrewThreads(options)),
        devices(DeviceThreadCount(options), {.scheduler = &scheduler,
                                             .load = &load,
                                             .crew = &crew,
                                             .clock = &clock,
                                             .engines = &engines}),
        work({.threads = options.work_threads, .max_waiting = static_cast<size_t>(options.max_waiting_calls)}),
        synthesis({.host = &roster,
                   .scheduler = &scheduler,
                   .crew = &crew,
                   .clock = &clock,
                   .metrics = &metrics,
                   .limits = options.limits},
                  roster, *registry, work) {}
  // Makes room for what the registry has.
  absl::Status Host();
  // Serves calls when it returns.
  absl::Status Listen();
  ~Parts() {
    ticker.reset();
    wire.reset();  // ends all calls
    scheduler.Stop();
  }

  const ServerOptions options;
  const Clock& clock;
  ServerMetrics metrics{options.device};
  const std::unique_ptr<Registry> registry;
  DeviceLoad load;
  EngineTable engines;
  Hosting hosting;
  StreamScheduler scheduler;
  SessionRoster roster;
  Crew crew;
  DeviceThreads devices;
  WorkQueue work;
  SynthesisService synthesis;
  HealthService health;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint;
  std::unique_ptr<Wire> wire = std::make_unique<Wire>();
  Endpoint* public_endpoint = nullptr;
  Endpoint* admin_endpoint = nullptr;  // null: none
  std::unique_ptr<Ticker> ticker;
};

absl::Status Server::Parts::Host() {
  for (const std::shared_ptr<HostedVoice>& voice : registry->hosted()) {
    RETURN_IF_ERROR(hosting.Begin(*voice));
    hosting.Measure(*voice);
    if (voice->version() > 0) metrics.ModelLoaded(voice->model(), voice->version(), voice->load_seconds);
  }
  return absl::OkStatus();
}

absl::Status Server::Parts::Listen() {
  auto public_methods = std::make_unique<MethodTable>(), admin_methods = std::make_unique<MethodTable>();
  synthesis.AddMethods(public_methods.get());
  AddGraphMethods(work, public_methods.get());
  AddFeaturesMethods(work, public_methods.get());
  for (const std::string& service : public_methods->services()) health.Set(service, HealthService::Health::kServing);
  for (const std::string& model : registry->models()) {
    health.Set(absl::StrCat("model/", model), HealthService::Health::kServing);
  }
  health.AddMethods(public_methods.get());
  health.AddMethods(admin_methods.get());
  AddReflection(public_methods->services(), admin_methods.get());
  ASSIGN_OR_RETURN(public_endpoint, wire->Open({.address = options.listen,
                                                .max_streams = std::max(100, options.max_sessions + 16),
                                                .memory_bytes = options.grpc_memory_bytes},
                                               std::move(public_methods)));
  if (!options.admin_listen.empty()) {
    ASSIGN_OR_RETURN(admin_endpoint, wire->Open({.address = options.admin_listen}, std::move(admin_methods)));
  }
  wire->Serve();
  return absl::OkStatus();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, std::unique_ptr<Registry> registry,
                                                      const Clock& clock) {
  RETURN_IF_ERROR(EngineDevice::Parse(options.device).status());
  auto server = std::unique_ptr<Server>(new Server(std::make_unique<Parts>(options, std::move(registry), clock)));
  Parts& parts = *server->parts_;
  if (!options.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(parts.metrics_endpoint, MetricsEndpoint::Open(options.metrics_listen, parts.metrics.registry()));
  }
  RETURN_IF_ERROR(parts.Host());
  RETURN_IF_ERROR(parts.Listen());
  parts.metrics.SetServerState(ServerState::kServing);
  parts.ticker =
      std::make_unique<Ticker>("ddsp-house", kHouseKeeping, [server = server.get()] { server->KeepHouse(); });
  return server;
}

int Server::port() const { return parts_->public_endpoint->port(); }
int Server::metrics_port() const { return parts_->metrics_endpoint == nullptr ? 0 : parts_->metrics_endpoint->port(); }
int Server::admin_port() const { return parts_->admin_endpoint == nullptr ? 0 : parts_->admin_endpoint->port(); }
int Server::live_sessions() const { return parts_->roster.size(); }
std::string Server::MetricsText() const { return parts_->metrics.Text(); }

void Server::AnnounceDrain() {
  parts_->metrics.SetServerState(ServerState::kDraining);
  parts_->health.SetUnhealthy();
}

void Server::BeginDrain() {
  AnnounceDrain();
  parts_->roster.Drain();
}

void Server::FinishDrain(absl::Duration timeout) {
  if (parts_->roster.WaitUntilEmpty(timeout)) return;
  parts_->roster.EndAll(MakeError(Reason::kServerDraining, "the server stopped before the session ended"));
  parts_->roster.WaitUntilEmpty(kLastWords);
}

void Server::KeepHouse() {
  const absl::Time now = parts_->clock.Now();
  parts_->roster.CheckTimeouts(now);
  parts_->metrics.UpdateRates(now);
  parts_->load.UsedCpu(ProcessCpuSeconds());
  const Headroom headroom = parts_->load.headroom();
  parts_->metrics.SetDeviceLoad(headroom.busy, headroom.demand, absl::ToDoubleSeconds(headroom.crew_wait));
}

}  // namespace ddsp::server
