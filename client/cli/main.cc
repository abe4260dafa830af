// ddsp: voices on the command line, in process or through a server.
// Exit codes: 0 ok, 1 failure (the reason on stderr), 2 usage; those of jobs are in exit_code.h.
#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cli/exit_code.h"
#include "client/sdk/error.h"

namespace ddsp::client {
namespace {

struct Command {
  const char* group;  // of commands that share their first words; empty: none
  const char* name;
  const char* summary;
  Declare declare;
};

constexpr Command kCommands[] = {
    {"", "transfer", "Play a recording with a voice", DeclareTransfer},
    {"", "train", "Turn a folder of recordings into a voice", DeclareTrain},
    {"", "eval", "Measure how well a voice plays back recordings that it never saw", DeclareEval},
    {"", "export", "Turn a checkpoint of a training into a voice", DeclareExport},
    {"", "features", "Write pitch, loudness and power of a recording as CSV", DeclareFeatures},
    {"", "profile", "Measure how a performer plays, for `transfer --profile`", DeclareProfile},
    {"", "spectrogram", "Draw recordings, one above the other, as PNG", DeclareSpectrogram},
    {"", "top", "Show what a server does, live", DeclareTop},
    {"graph", "run", "Run a graph of processors on given controls", DeclareGraphRun},
    {"graph", "check", "Check a graph: everything that is wrong with it", DeclareGraphCheck},
    {"graph", "show", "Print or draw a graph", DeclareGraphShow},
    {"gin", "update", "Bring configurations of older releases up to date", DeclareGinUpdate},
    {"gin", "show", "Check a configuration and print it with all that it includes", DeclareGinShow},
    {"dataset", "prepare", "Turn a folder of recordings into a data set for `train`", DeclareDatasetPrepare},
    {"dataset", "stats", "Measure a data set of recordings", DeclareDatasetStats},
    {"dataset", "generate-synthetic", "Make up notes whose every control is known", DeclareDatasetGenerateSynthetic},
    {"dataset", "import-tfrecord", "Turn a data set of upstream's into one of ours", DeclareDatasetImportTfRecord},
    {"dataset", "show", "Print what a data set holds", DeclareDatasetShow},
    {"import", "safetensors", "Turn parameters under upstream's names into a voice", DeclareImportSafetensors},
    {"import", "tf-checkpoint", "Turn a checkpoint of upstream's into a voice", DeclareImportTfCheckpoint},
    {"job submit", "train", "Have a voice trained from recordings", DeclareJobSubmitTrain},
    {"job submit", "transfer", "Have recordings played with a voice", DeclareJobSubmitTransfer},
    {"job submit", "render", "Have features played with a voice", DeclareJobSubmitRender},
    {"job submit", "features", "Have pitch and loudness of recordings extracted", DeclareJobSubmitFeatures},
    {"job", "list", "List jobs, newest first", DeclareJobList},
    {"job", "get", "Print all about a job", DeclareJobGet},
    {"job", "watch", "Show a job's progress until it is done", DeclareJobWatch},
    {"job", "wait", "Wait until a job is done", DeclareJobWait},
    {"job", "logs", "Print what a job's workers said", DeclareJobLogs},
    {"job", "cancel", "Cancel a job", DeclareJobCancel},
    {"job", "download", "Fetch a job's results", DeclareJobDownload},
    {"auth", "new-key", "Make a key for callers of a server", DeclareAuthNewKey},
    {"config", "check", "Check a configuration of ddsp-server, and print all that it says", DeclareConfigCheck},
    {"session", "list", "List what plays on a server", DeclareSessionList},
    {"session", "kill", "End a session of a server", DeclareSessionKill},
    {"model", "list", "List the voices of a repository or of a server", DeclareModelList},
    {"model", "push", "Publish a voice: its next version in a repository", DeclareModelPush},
    {"model", "pull", "Fetch a voice from an object store or an OCI registry", DeclareModelPull},
    {"model", "pack", "Put a voice into a directory in OCI image layout", DeclareModelPack},
    {"model", "load", "Have a server load a published version", DeclareModelLoad},
    {"model", "unload", "Have a server take a version out of service", DeclareModelUnload},
    {"model", "alias", "Move an alias of a voice, or take it away", DeclareModelAlias},
    {"model", "watch", "Tell of a server's voices as they come and go", DeclareModelWatch},
    {"model", "convert", "Write a voice anew with another arithmetic of its network", DeclareModelConvert},
    {"model", "random", "Make a voice of random weights, for load tests", DeclareModelRandom},
    {"model", "show", "Print a voice's specification and what a stream of it keeps", DeclareModelShow},
    {"model", "verify", "Check a voice: files, shapes, and its golden audio", DeclareModelVerify},
};

const char* AboutGroup(absl::string_view group) {
  if (group == "auth") return "Work on who may call a server";
  if (group == "config") return "Work on configurations of a server";
  if (group == "gin") return "Work on gin configurations";
  if (group == "dataset") return "Work on data sets";
  if (group == "graph") return "Work on graphs";
  if (group == "import") return "Bring models of upstream's over";
  if (group == "job") return "Have work done by a server's workers";
  if (group == "session") return "See to what plays on a server";
  if (group == "job submit") return "Upload files and submit a job; prints its name";
  return "Work on voices";
}

CLI::App* Find(CLI::App& app, absl::string_view name) {
  for (CLI::App* existing : app.get_subcommands([](CLI::App*) { return true; })) {
    if (existing->get_name() == name) return existing;
  }
  return nullptr;
}

// The sub-command `group`, made when it is first asked for.
CLI::App& Group(CLI::App& app, const std::string& group) {
  CLI::App* found = &app;
  std::string path;
  for (const absl::string_view word : absl::StrSplit(group, ' ', absl::SkipEmpty())) {
    absl::StrAppend(&path, path.empty() ? "" : " ", word);
    CLI::App* next = Find(*found, word);
    if (next == nullptr) {
      next = found->add_subcommand(std::string(word), AboutGroup(path));
      next->require_subcommand(1);
    }
    found = next;
  }
  return *found;
}

int Run(int argc, char** argv) {
  CLI::App app("Neural audio synthesis: sing, and an instrument answers.", "ddsp");
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command& command : kCommands) {
    CLI::App* options = Group(app, command.group).add_subcommand(command.name, command.summary);
    actions.emplace_back(options, command.declare(*options));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage);
  }
  for (const auto& [options, action] : actions) {
    if (!options->parsed()) continue;
    const absl::Status status = action();
    if (!status.ok()) std::cerr << "ddsp: " << Describe(status) << "\n";
    return static_cast<int>(ExitCodeOf(status));
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace
}  // namespace ddsp::client

int main(int argc, char** argv) { return ddsp::client::Run(argc, argv); }
