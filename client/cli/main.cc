// ddsp: voices on the command line, in process or through a server.
// Exit codes: 0 ok, 1 failure (the reason on stderr), 2 usage.
#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "client/cli/command.h"
#include "client/sdk/error.h"

namespace ddsp::client {
namespace {

struct Command {
  const char* group;  // of commands that share a first word; empty: none
  const char* name;
  const char* summary;
  Declare declare;
};

constexpr Command kCommands[] = {
    {"", "transfer", "Play a recording with a voice", DeclareTransfer},
    {"", "train", "Turn a folder of recordings into a voice", DeclareTrain},
    {"", "features", "Write pitch, loudness and power of a recording as CSV", DeclareFeatures},
    {"", "profile", "Measure how a performer plays, for `transfer --profile`", DeclareProfile},
    {"", "spectrogram", "Draw recordings, one above the other, as PNG", DeclareSpectrogram},
    {"graph", "run", "Run a graph of processors on given controls", DeclareGraphRun},
    {"graph", "check", "Check a graph: everything that is wrong with it", DeclareGraphCheck},
    {"graph", "show", "Print or draw a graph", DeclareGraphShow},
    {"gin", "update", "Bring configurations of older releases up to date", DeclareGinUpdate},
    {"gin", "show", "Check a configuration and print it with all that it includes", DeclareGinShow},
    {"dataset", "generate-synthetic", "Make up notes whose every control is known", DeclareDatasetGenerateSynthetic},
    {"dataset", "import-tfrecord", "Turn a data set of upstream's into one of ours", DeclareDatasetImportTfRecord},
    {"dataset", "show", "Print what a data set holds", DeclareDatasetShow},
    {"import", "safetensors", "Turn parameters under upstream's names into a voice", DeclareImportSafetensors},
    {"import", "tf-checkpoint", "Turn a checkpoint of upstream's into a voice", DeclareImportTfCheckpoint},
    {"model", "list", "List the voices of a repository", DeclareModelList},
    {"model", "convert", "Write a voice anew with another arithmetic of its network", DeclareModelConvert},
    {"model", "random", "Make a voice of random weights, for load tests", DeclareModelRandom},
    {"model", "show", "Print a voice's specification and what a stream of it keeps", DeclareModelShow},
    {"model", "verify", "Check a voice: files, shapes, and its golden audio", DeclareModelVerify},
};

constexpr int kOk = 0, kFailure = 1, kUsage = 2;

// The sub-command `group`, made when it is first asked for.
CLI::App& Group(CLI::App& app, const std::string& group) {
  if (group.empty()) return app;
  for (CLI::App* existing : app.get_subcommands([](CLI::App*) { return true; })) {
    if (existing->get_name() == group) return *existing;
  }
  CLI::App* made = app.add_subcommand(group, group == "gin"       ? "Work on gin configurations"
                                             : group == "dataset" ? "Work on data sets"
                                                                  : "Work on " + group + "s");
  made->require_subcommand(1);
  return *made;
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
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  for (const auto& [options, action] : actions) {
    if (!options->parsed()) continue;
    const absl::Status status = action();
    if (!status.ok()) std::cerr << "ddsp: " << Describe(status) << "\n";
    return status.ok() ? kOk : kFailure;
  }
  return kUsage;
}

}  // namespace
}  // namespace ddsp::client

int main(int argc, char** argv) { return ddsp::client::Run(argc, argv); }
