#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/ticker.h"
#include "core/cuda/engine_device.h"
#include "server/capacity.h"
#include "server/errors/errors.h"
#include "server/jobs/anchored_clock.h"
#include "server/jobs/desk/job_desk.h"
#include "server/journal/session_log.h"
#include "server/kserve/inference_service.h"
#include "server/memory/heap_keeper.h"
#include "server/memory/memory_budget.h"
#include "server/metrics/build.h"
#include "server/metrics/metrics_endpoint.h"
#include "server/metrics/server_metrics.h"
#include "server/metrics/triton_aliases.h"
#include "server/registry/hosting.h"
#include "server/registry/model_book.h"
#include "server/rpc/features_service.h"
#include "server/rpc/graph_service.h"
#include "server/rpc/health_service.h"
#include "server/rpc/models_service.h"
#include "server/rpc/orca_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/sessions_service.h"
#include "server/rpc/synthesis_service.h"
#include "server/rpc/wire.h"
#include "server/rpc/work_queue.h"
#include "server/scheduler/device_worker.h"
#include "server/scheduler/shedder.h"
#include "server/security/gate.h"
#include "server/security/tls_credentials.h"
#include "server/security/wall_clock.h"
#include "server/session/crew.h"
#include "server/session/session_roster.h"
#include "server/session/snapshot_seal.h"
#include "server/tracing/otlp_exporter.h"
#include "server/tracing/tracer.h"
#include "server/vital_signs.h"
#include "server/voice_repositories.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kHouseKeeping = absl::Seconds(1), kHeapTrim = absl::Seconds(30);
// Operators' calls that load voices or move aliases.
constexpr int kModelThreads = 2;
constexpr size_t kMaxModelCalls = 64;

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

std::unique_ptr<OtlpExporter> MakeExporter(const ServerOptions& options) {
  if (options.otlp_endpoint.empty()) return nullptr;
  // Open() has seen that it can be read.
  const std::string ca = options.otlp_ca_file.empty() ? "" : ReadFile(options.otlp_ca_file).value_or("");
  return std::make_unique<OtlpExporter>(OtlpExporter::Options{.endpoint = options.otlp_endpoint, .ca_certificates = ca},
                                        TraceSource{.version = std::string(Build().version), .instance = HostName()});
}

}  // namespace

// In order of dependence: what comes later uses what came before, and is destroyed first.
struct Server::Parts {
  Parts(const ServerOptions& options, std::unique_ptr<Registry> voices, std::vector<std::string> session_keys,
        const Clock& clock)
      : options(options),
        clock(clock),
        registry(std::move(voices)),
        load({.workers = DeviceThreadCount(options),
              .cores = OnGpu(options) ? 0 : CoreCount(),
              .batches = BatchOptionsOf(options),
              .admission = {.max_load = options.max_device_load}},
             {}, clock),
        engines(DeviceThreadCount(options)),
        hosting(engines, load, metrics, clock),
        scheduler(BatchOptionsOf(options), load, clock),
        roster({.max_sessions = options.max_sessions, .memory = &memory, .limits = options.limits}, *registry, metrics,
               load),
        crew(CrewThreadCount(options)),
        devices(DeviceThreadCount(options),
                {.scheduler = &scheduler, .load = &load, .crew = &crew, .clock = &clock, .engines = &engines}),
        work({.threads = options.work_threads, .max_waiting = static_cast<size_t>(options.max_waiting_calls)}),
        snapshots({.keys = std::move(session_keys), .lifetime = options.snapshot_lifetime}, wall_clock),
        sessions{.host = &roster,
                 .scheduler = &scheduler,
                 .crew = &crew,
                 .clock = &clock,
                 .metrics = &metrics,
                 .snapshots = &snapshots,
                 .limits = options.limits,
                 .journal = &journal},
        synthesis(sessions, roster, *registry, work) {}
  // Makes room for what the registry has.
  absl::Status Host();
  // Loads the voices of the repositories, and keeps them as options say.
  absl::Status Curate();
  // Tells health and watchers.
  void VoicesChanged();
  // Sends live sessions away where the others cannot be heard in time.
  void Shed(absl::Time now);
  // Where there is a data dir.
  absl::Status OpenDesk();
  // Reads certificates and keys.
  absl::Status Secure();
  void AddInference(MethodTable* public_methods, MethodTable* admin_methods);
  // Serves calls when it returns.
  absl::Status Listen();
  absl::StatusOr<Endpoint*> ListenAt(const std::string& address, std::unique_ptr<MethodTable> methods);
  absl::Status ListenForProbes();
  ~Parts() {
    if (curator != nullptr) curator->Stop();
    ticker.reset();
    wire.reset();  // ends all calls
    scheduler.Stop();
  }

  const ServerOptions options;
  const Clock& clock;
  ServerMetrics metrics{options.device};
  MemoryBudget memory{options.memory_budget_bytes};
  HeapKeeper heap{kHeapTrim};
  RateLimit refusals{{}, clock};
  const std::unique_ptr<OtlpExporter> exporter = MakeExporter(options);  // null: nothing is traced
  const Tracer tracer{{.ratio = options.trace_ratio},
                      [this](SpanRecord span) {
                        if (exporter != nullptr) exporter->Take(std::move(span));
                      },
                      clock};
  SessionLog journal{options.log.get(), refusals};
  const std::unique_ptr<Registry> registry;
  DeviceLoad load;
  EngineTable engines;
  Hosting hosting;
  std::unique_ptr<Curator> curator;  // null: the voices were given
  StreamScheduler scheduler;
  SessionRoster roster;
  Crew crew;
  DeviceThreads devices;
  WorkQueue work;
  const WallClock wall_clock;
  const SnapshotSeal snapshots;
  const SessionServices sessions;
  SynthesisService synthesis;
  Shedder shedder{options.max_device_load > 0 ? options.shed_after : absl::ZeroDuration()};
  WorkQueue model_work{{.threads = kModelThreads, .max_waiting = kMaxModelCalls}};
  std::unique_ptr<ModelsService> models;
  VitalSigns vital_signs{
      {.options = options, .load = load, .memory = memory, .roster = roster, .exporter = exporter.get()}, metrics};
  OrcaService orca{[this] { return vital_signs.Now(); }};
  const CallServices calls = {.metrics = &metrics,
                              .clock = &clock,
                              .tracer = exporter == nullptr ? nullptr : &tracer,
                              .log = options.log.get(),
                              .refusals = &refusals,
                              .memory = &memory,
                              .load_report = [this] { return ToOrca(vital_signs.Now()); }};
  Mutex voices_mu;  // of who tells of voices
  const AnchoredClock time_of_day;
  std::unique_ptr<JobDesk> desk;  // null: no jobs
  HealthService health, probes;
  std::unique_ptr<kserve::InferenceService> inference;
  std::unique_ptr<Gate> gate;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint;
  std::unique_ptr<Wire> wire = std::make_unique<Wire>();
  Endpoint* public_endpoint = nullptr;
  Endpoint* admin_endpoint = nullptr;   // null: none
  Endpoint* health_endpoint = nullptr;  // null: none
  std::unique_ptr<Ticker> ticker;
};

absl::Status Server::Parts::Host() {
  for (const std::shared_ptr<HostedVoice>& voice : registry->hosted()) {
    RETURN_IF_ERROR(hosting.Begin(*voice));
    hosting.Measure(*voice);
    if (voice->version() == 0) continue;
    metrics.ModelLoaded(voice->model(), voice->version(), voice->load_seconds);
    metrics.SetModelState(voice->model(), voice->version(), NameOf(VersionState::kReady));
  }
  return absl::OkStatus();
}

void Server::Parts::Shed(absl::Time now) {
  const int streams = roster.live();
  const Headroom headroom = load.headroom();
  const int count = shedder.Look(headroom, streams, now);
  if (count == 0) return;
  if (options.log != nullptr) {
    options.log->Write(LogLevel::kWarning, "server.overloaded",
                       absl::StrFormat("%.0f %% of hops come late: %d of %d live sessions are sent away",
                                       100 * headroom.late, count, streams),
                       {{"streams", int64_t{streams}}, {"sent_away", int64_t{count}}, {"late", headroom.late}});
  }
  roster.Shed(count);
}

absl::Status Server::Parts::Curate() {
  ASSIGN_OR_RETURN(const EngineDevice device, EngineDevice::Parse(options.device));
  ASSIGN_OR_RETURN(std::vector<Curator::Repository> repositories, RepositoriesOf(options));
  const int threads = options.model_threads();
  curator = std::make_unique<Curator>(
      Curator::Options{
          .repositories = std::move(repositories),
          .mode = options.model_control_mode,
          .policies = options.version_policies,
          .load_models = options.load_models,
          .poll_interval = options.repository_poll,
          .slots = options.max_sessions,
          .slots_of_model = options.max_sessions_per_model,
          .start_threads = CoreCount(),
          .make_engine = [device, threads](std::shared_ptr<const Voice> voice,
                                           int slots) { return device.MakeEngine(std::move(voice), slots, threads); },
          .say = options.say},
      *registry, hosting, metrics);
  models = std::make_unique<ModelsService>(*curator, model_work);
  const absl::Status started = curator->Start([this] { VoicesChanged(); });
  if (!started.ok() && !options.exit_on_error) options.say(std::string(started.message()));
  return options.exit_on_error ? started : absl::OkStatus();
}

void Server::Parts::VoicesChanged() {
  {
    // Read and told in one go: the last to tell tells the newest.
    const MutexLock lock(&voices_mu);
    for (const ModelStatus& model : curator->ChangedSince(0)) {
      health.Set(absl::StrCat("model/", model.name),
                 model.serving > 0 ? HealthService::Health::kServing : HealthService::Health::kNotServing);
    }
  }
  models->Changed();
}

absl::Status Server::Parts::OpenDesk() {
  if (options.jobs.data_dir.empty()) return absl::OkStatus();
  if (curator == nullptr) return absl::InvalidArgumentError("--data-dir goes with the voices of a repository");
  ASSIGN_OR_RETURN(
      desk, JobDesk::Open(options.jobs,
                          {.models = *curator, .metrics = metrics, .clock = time_of_day, .log = options.log.get()}));
  return absl::OkStatus();
}

absl::Status Server::Parts::Secure() {
  RETURN_IF_ERROR(MakeServerCredentials(options.security.tls, options.say).status());  // before voices are loaded
  ASSIGN_OR_RETURN(
      gate, Gate::Open(options.security,
                       {.time_of_day = &wall_clock, .say = options.say, .on_refused = [this](std::string_view reason) {
                          metrics.CallRefused(reason);
                        }}));
  for (const std::string& warning : WarningsOf(options.security, {options.listen, options.admin_listen})) {
    options.say(absl::StrCat("warning: ", warning));
  }
  return absl::OkStatus();
}

absl::StatusOr<Endpoint*> Server::Parts::ListenAt(const std::string& address, std::unique_ptr<MethodTable> methods) {
  RETURN_IF_ERROR(CheckMethods(methods->names()));
  ASSIGN_OR_RETURN(auto credentials, MakeServerCredentials(options.security.tls, options.say));
  return wire->Open({.address = address,
                     .max_streams = StreamsPerConnection(options),
                     .memory_bytes = options.grpc_memory_bytes,
                     .calls = &calls,
                     .max_connection_age = options.max_connection_age,
                     .keepalive_time = options.keepalive_time,
                     .keepalive_timeout = options.keepalive_timeout,
                     .credentials = std::move(credentials),
                     .gate = gate.get()},
                    std::move(methods));
}

absl::Status Server::Parts::ListenForProbes() {
  auto methods = std::make_unique<MethodTable>();
  probes.Set("liveness", HealthService::Health::kServing);
  probes.Set("readiness", HealthService::Health::kServing);
  probes.AddMethods(methods.get());
  ASSIGN_OR_RETURN(health_endpoint, wire->Open({.address = options.health_listen}, std::move(methods)));
  return absl::OkStatus();
}

void Server::Parts::AddInference(MethodTable* public_methods, MethodTable* admin_methods) {
  inference = std::make_unique<kserve::InferenceService>(kserve::InferenceService::Services{
      .sessions = sessions,
      .roster = &roster,
      .registry = registry.get(),
      .time_of_day = &time_of_day,
      .ready = [this] { return health.healthy(); },
      .processor = OnGpu(options) ? kserve::Processor::kGpu : kserve::Processor::kCpu,
      .curator = curator.get(),
      .model_work = &model_work});
  inference->AddPublicMethods(public_methods);
  inference->AddAdminMethods(admin_methods);
}

absl::Status Server::Parts::Listen() {
  auto public_methods = std::make_unique<MethodTable>(), admin_methods = std::make_unique<MethodTable>();
  synthesis.AddMethods(public_methods.get());
  AddGraphMethods(work, public_methods.get());
  AddFeaturesMethods(work, public_methods.get());
  if (desk != nullptr) desk->AddMethods(public_methods.get());
  if (models != nullptr) {
    models->AddPublicMethods(public_methods.get());
    models->AddAdminMethods(admin_methods.get());
  } else {
    for (const std::string& model : registry->models()) {
      health.Set(absl::StrCat("model/", model), HealthService::Health::kServing);
    }
  }
  AddInference(public_methods.get(), admin_methods.get());
  for (const std::string& service : public_methods->services()) health.Set(service, HealthService::Health::kServing);
  health.AddMethods(public_methods.get());
  health.AddMethods(admin_methods.get());
  AddSessionsMethods(roster, admin_methods.get());
  AddReflection(public_methods->services(), admin_methods.get());
  orca.AddMethods(public_methods.get());
  if (desk == nullptr) AddNoJobsMethods(public_methods.get());
  ASSIGN_OR_RETURN(public_endpoint, ListenAt(options.listen, std::move(public_methods)));
  if (!options.admin_listen.empty()) {
    ASSIGN_OR_RETURN(admin_endpoint, ListenAt(options.admin_listen, std::move(admin_methods)));
  }
  if (!options.health_listen.empty()) RETURN_IF_ERROR(ListenForProbes());
  wire->Serve();
  return absl::OkStatus();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, std::unique_ptr<Registry> registry,
                                                      const Clock& clock) {
  return Open(options, std::move(registry), Voices::kGiven, clock);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Open(const ServerOptions& options, std::unique_ptr<Registry> registry,
                                                     Voices voices, const Clock& clock) {
  ASSIGN_OR_RETURN(const EngineDevice device, EngineDevice::Parse(options.device));
  RETURN_IF_ERROR(device.Check());  // once, and not for each voice
  if (!options.otlp_ca_file.empty()) RETURN_IF_ERROR(ReadFile(options.otlp_ca_file).status());
  std::vector<std::string> session_keys;
  if (!options.session_key_file.empty()) {
    ASSIGN_OR_RETURN(session_keys, ReadSessionKeys(options.session_key_file));
  }
  auto server = std::unique_ptr<Server>(
      new Server(std::make_unique<Parts>(options, std::move(registry), std::move(session_keys), clock)));
  Parts& parts = *server->parts_;
  if (!options.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(parts.metrics_endpoint,
                     MetricsEndpoint::Open(
                         options.metrics_listen, parts.metrics.registry(),
                         options.triton_metrics ? std::make_shared<TritonAliases>(parts.metrics.registry()) : nullptr));
  }
  RETURN_IF_ERROR(parts.Secure());
  RETURN_IF_ERROR(parts.Host());
  if (voices == Voices::kOfRepositories) RETURN_IF_ERROR(parts.Curate());
  RETURN_IF_ERROR(parts.OpenDesk());
  RETURN_IF_ERROR(parts.Listen());
  parts.metrics.SetServerState(ServerState::kServing);
  parts.ticker =
      std::make_unique<Ticker>("ddsp-house", kHouseKeeping, [server = server.get()] { server->KeepHouse(); });
  return server;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<VoiceEngine> features, MakeFeatureEngine(options.max_sessions));
  auto registry = std::make_unique<Registry>(std::vector<VoiceListing>(), std::move(features));
  return Open(options, std::move(registry), Voices::kOfRepositories, clock);
}

Curator* Server::curator() { return parts_->curator.get(); }
int Server::port() const { return parts_->public_endpoint->port(); }
int Server::metrics_port() const { return parts_->metrics_endpoint == nullptr ? 0 : parts_->metrics_endpoint->port(); }
int Server::admin_port() const { return parts_->admin_endpoint == nullptr ? 0 : parts_->admin_endpoint->port(); }
int Server::health_port() const { return parts_->health_endpoint == nullptr ? 0 : parts_->health_endpoint->port(); }
int Server::live_sessions() const { return parts_->roster.size(); }
std::string Server::MetricsText() const { return parts_->metrics.Text(); }

void Server::AnnounceDrain() {
  parts_->metrics.SetServerState(ServerState::kDraining);
  parts_->health.SetUnhealthy();
  // It lives until it ends.
  for (const char* name : {"", "readiness"}) parts_->probes.Set(name, HealthService::Health::kNotServing);
}

void Server::BeginDrain() {
  AnnounceDrain();
  parts_->roster.Drain();
}

void Server::FinishDrain(absl::Duration timeout) {
  if (parts_->roster.WaitUntilEmpty(timeout)) return;
  parts_->roster.EndAll(MakeError(Reason::kServerDraining, "the server stopped before the session ended"));
  parts_->roster.WaitUntilEmpty(parts_->options.exit_timeout);
}

void Server::ReloadKeys() { parts_->gate->Refresh(Gate::Reload::kNow); }

void Server::KeepHouse() {
  parts_->gate->Refresh(Gate::Reload::kWhereChanged);
  const absl::Time now = parts_->clock.Now();
  parts_->roster.CheckTimeouts(now);
  parts_->metrics.UpdateRates(now);
  if (parts_->desk != nullptr) parts_->desk->Report();
  parts_->vital_signs.Take(now);
  parts_->Shed(now);
  parts_->orca.Tick(now);
  parts_->heap.CheckAt(now);
}

}  // namespace ddsp::server
