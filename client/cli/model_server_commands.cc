// Voices of a server: which there are, and their coming and going. Publishing, with or without a server.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cli/model_directory.h"
#include "client/cli/model_list.h"
#include "client/cli/model_push.h"
#include "client/cli/model_text.h"
#include "client/cli/models_client.h"
#include "client/cli/repository_path.h"
#include "client/cli/scratch_folder.h"
#include "client/flags/server_flags.h"
#include "client/cli/voice_source.h"
#include "core/artifacts/s3_store.h"
#include "core/artifacts/voice_objects.h"
#include "core/base/status_macros.h"
#include "core/models/aliases.h"
#include "core/models/voice_name.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

constexpr char kAdminServer[] = "HOST:PORT of a server's admin port (--admin-listen)";

// Text, or one JSON object.
void AddOutput(CLI::App& app, bool* json) {
  app.add_option_function<std::string>(
         "--output", [json](const std::string& form) { *json = form == "json"; }, "text for people, json: one object")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
}

absl::Status Print(const absl::StatusOr<v1::Model>& model, bool json) {
  RETURN_IF_ERROR(model.status());
  std::cout << (json ? ToJson(*model).dump(2) + "\n" : ModelTable({*model}));
  return absl::OkStatus();
}

struct Reference {
  std::string model;
  int64_t version = 0;  // 0: none was named
};

// "violin" or "violin/3".
absl::StatusOr<Reference> ReadReference(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  Reference reference{.model = parts[0]};
  const bool has_number =
      parts.size() == 1 || (absl::SimpleAtoi(parts[1], &reference.version) && reference.version > 0);
  if (!IsVoiceName(reference.model) || !has_number) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is neither MODEL nor MODEL/VERSION"));
  }
  return reference;
}

struct ServerOptions {
  ServerAddress server;
  std::string reference;
  bool json = false;
};

std::shared_ptr<ServerOptions> DeclareServer(CLI::App& app, const std::string& reference_help) {
  auto options = std::make_shared<ServerOptions>();
  app.add_option("MODEL", options->reference, reference_help)->required();
  AddServerFlags(app, &options->server, kAdminServer)->required();
  AddOutput(app, &options->json);
  return options;
}

absl::Status Load(const ServerOptions& options) {
  ASSIGN_OR_RETURN(const Reference reference, ReadReference(options.reference));
  return Print(ModelsClient(options.server).Load(reference.model, reference.version), options.json);
}

absl::Status Unload(const ServerOptions& options) {
  ASSIGN_OR_RETURN(const Reference reference, ReadReference(options.reference));
  return Print(ModelsClient(options.server).Unload(reference.model, reference.version), options.json);
}

struct AliasOptions {
  ServerAddress server;
  std::string reference, repository;
  int64_t version = 0;
  bool remove = false, json = false;
};

void PrintAliases(const std::string& model, const VoiceAliases& aliases) {
  for (const auto& [alias, version] : aliases) {
    std::cout << model << "@" << alias << " is " << model << "/" << version << "\n";
  }
}

// In an object store; what an alias will mean is fetched and verified before.
absl::Status MoveAliasInStore(const std::string& repository, const std::string& model, const std::string& alias,
                              const AliasOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<S3Store> store, S3Store::Open(repository));
  ASSIGN_OR_RETURN(VoiceAliases aliases, ReadAliases(*store, model));
  if (options.remove) {
    if (aliases.erase(alias) == 0) return absl::NotFoundError(absl::StrCat(store->name(), " has no ", model, "@", alias));
  } else {
    const std::string wanted = options.version == 0 ? "" : absl::StrCat("/", options.version);
    ASSIGN_OR_RETURN(const VoiceSource source, OpenVoiceSource(absl::StrCat(store->name(), "/", model, wanted)));
    const ScratchFolder scratch;
    RETURN_IF_ERROR(PullVoice(source, scratch.path()).status());
    aliases[alias] = source.version;
  }
  RETURN_IF_ERROR(WriteAliases(aliases, model, *store));
  PrintAliases(model, aliases);
  return absl::OkStatus();
}

// Without a server: the same rules, by this program.
absl::Status MoveAlias(const std::string& repository, const std::string& model, const std::string& alias,
                       const AliasOptions& options) {
  if (IsS3Url(repository)) return MoveAliasInStore(repository, model, alias, options);
  const std::string directory = absl::StrCat(repository, "/", model);
  ASSIGN_OR_RETURN(VoiceAliases aliases, ReadAliases(directory));
  if (options.remove) {
    if (aliases.erase(alias) == 0) return absl::NotFoundError(absl::StrCat(directory, " has no alias '", alias, "'"));
  } else {
    const std::string wanted = options.version == 0 ? model : absl::StrCat(model, "/", options.version);
    ASSIGN_OR_RETURN(const VoiceLocation location, FindVoice(repository, wanted));
    RETURN_IF_ERROR(LoadVoice(location.directory).status());
    aliases[alias] = location.version;
  }
  RETURN_IF_ERROR(WriteAliases(directory, aliases));
  PrintAliases(model, aliases);
  return absl::OkStatus();
}

absl::Status Alias(const AliasOptions& options) {
  const std::vector<std::string> parts = absl::StrSplit(options.reference, absl::MaxSplits('@', 1));
  if (parts.size() != 2 || !IsVoiceName(parts[0]) || !IsVoiceName(parts[1])) {
    return absl::InvalidArgumentError(absl::StrCat("'", options.reference, "' is not MODEL@ALIAS"));
  }
  if (options.server.empty()) {
    const std::string repository = options.repository.empty() ? DefaultRepository() : options.repository;
    return MoveAlias(repository, parts[0], parts[1], options);
  }
  ModelsClient client(options.server);
  return Print(
      options.remove ? client.DeleteAlias(parts[0], parts[1]) : client.SetAlias(parts[0], parts[1], options.version),
      options.json);
}

struct PushOptions {
  ServerAddress server;
  std::string directory, repository;
  bool json = false;
};

absl::Status Push(const PushOptions& options) {
  ASSIGN_OR_RETURN(const std::string version, VersionDirectory(options.directory));
  ASSIGN_OR_RETURN(const VoiceLocation pushed, PushVoice(version, options.repository));
  std::cerr << "pushed " << pushed.model << "/" << pushed.version << " to " << pushed.directory << "\n";
  if (!options.server.empty()) {
    return Print(ModelsClient(options.server).Load(pushed.model, pushed.version), options.json);
  }
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"name", pushed.model},
                                        {"version", pushed.version},
                                        {"directory", pushed.directory}}
                     .dump(2)
              << "\n";
  }
  return absl::OkStatus();
}

struct ListOptions {
  ServerAddress server;
  std::string repository;
  bool json = false;
};

absl::Status List(const ListOptions& options) {
  if (options.server.empty()) return ListRepository(options.repository, options.json);
  ASSIGN_OR_RETURN(const std::vector<v1::Model> models, ModelsClient(options.server).List());
  if (!options.json) {
    std::cout << ModelTable(models);
    return absl::OkStatus();
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const v1::Model& model : models) rows.push_back(ToJson(model));
  std::cout << nlohmann::ordered_json{{"models", std::move(rows)}}.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareModelAlias(CLI::App& app) {
  auto options = std::make_shared<AliasOptions>();
  app.add_option("MODEL@ALIAS", options->reference, "What sessions will ask for: violin@champion")->required();
  CLI::Option* version = app.add_option("VERSION", options->version, "Where it points; the newest version by default")
                             ->check(CLI::Range(int64_t{1}, int64_t{1} << 60));
  app.add_flag("--delete", options->remove, "Take the alias away")->excludes(version);
  CLI::Option* server = AddServerFlags(app, &options->server, kAdminServer);
  app.add_option("--repository,--model-repository", options->repository, "Without a server: directory of voices, or s3://BUCKET/PREFIX")
      ->excludes(server);
  AddOutput(app, &options->json);
  return [options] { return Alias(*options); };
}

Action DeclareModelList(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  options->repository = DefaultRepository();
  CLI::Option* repository =
      app.add_option("REPOSITORY,--repository,--model-repository", options->repository, "Directory of voices, or s3://BUCKET/PREFIX")
          ->capture_default_str();
  AddServerFlags(app, &options->server, "HOST:PORT of a server: which voices it has, and what they do")
      ->excludes(repository);
  AddOutput(app, &options->json);
  return [options] { return List(*options); };
}

Action DeclareModelLoad(CLI::App& app) {
  const auto options = DeclareServer(app, "violin/3; violin is the newest version in the repository");
  return [options] { return Load(*options); };
}

Action DeclareModelPush(CLI::App& app) {
  auto options = std::make_shared<PushOptions>();
  app.add_option("DIR", options->directory, "Directory of a version, or of a model: its newest version")->required();
  app.add_option("--repository,--model-repository", options->repository, "Where it goes, under its next version number: a directory, or s3://BUCKET/PREFIX")
      ->required();
  AddServerFlags(app, &options->server, absl::StrCat("Load it there afterwards: ", kAdminServer));
  AddOutput(app, &options->json);
  return [options] { return Push(*options); };
}

Action DeclareModelUnload(CLI::App& app) {
  const auto options = DeclareServer(app, "violin/3; violin is every version");
  return [options] { return Unload(*options); };
}

}  // namespace ddsp::client
