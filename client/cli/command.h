// A sub-command of `ddsp`. To add one: write x_command.cc with a function of this form and list it in main.cc.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>

#include "absl/status/status.h"

namespace ddsp::client {

// What a sub-command does once its options are parsed. An error is printed and becomes exit code 1, or the one that it
// was given (exit_code.h).
using Action = std::function<absl::Status()>;

// Declares the options of a sub-command and returns its action, which keeps them.
using Declare = Action (*)(CLI::App& options);

Action DeclareAuthNewKey(CLI::App& options);
Action DeclareConfigCheck(CLI::App& options);
Action DeclareDatasetGenerateSynthetic(CLI::App& options);
Action DeclareDatasetImportTfRecord(CLI::App& options);
Action DeclareDatasetPrepare(CLI::App& options);
Action DeclareDatasetShow(CLI::App& options);
Action DeclareDatasetStats(CLI::App& options);
Action DeclareEval(CLI::App& options);
Action DeclareExport(CLI::App& options);
Action DeclareFeatures(CLI::App& options);
Action DeclareGinShow(CLI::App& options);
Action DeclareGinUpdate(CLI::App& options);
Action DeclareGraphCheck(CLI::App& options);
Action DeclareGraphRun(CLI::App& options);
Action DeclareGraphShow(CLI::App& options);
Action DeclareImportSafetensors(CLI::App& options);
Action DeclareImportTfCheckpoint(CLI::App& options);
Action DeclareJobCancel(CLI::App& options);
Action DeclareJobDownload(CLI::App& options);
Action DeclareJobGet(CLI::App& options);
Action DeclareJobList(CLI::App& options);
Action DeclareJobLogs(CLI::App& options);
Action DeclareJobSubmitFeatures(CLI::App& options);
Action DeclareJobSubmitRender(CLI::App& options);
Action DeclareJobSubmitTrain(CLI::App& options);
Action DeclareJobSubmitTransfer(CLI::App& options);
Action DeclareJobWait(CLI::App& options);
Action DeclareJobWatch(CLI::App& options);
Action DeclareModelAlias(CLI::App& options);
Action DeclareModelConvert(CLI::App& options);
Action DeclareModelList(CLI::App& options);
Action DeclareModelLoad(CLI::App& options);
Action DeclareModelPack(CLI::App& options);
Action DeclareModelPull(CLI::App& options);
Action DeclareModelPush(CLI::App& options);
Action DeclareModelRandom(CLI::App& options);
Action DeclareModelShow(CLI::App& options);
Action DeclareModelUnload(CLI::App& options);
Action DeclareModelVerify(CLI::App& options);
Action DeclareModelWatch(CLI::App& options);
Action DeclareProfile(CLI::App& options);
Action DeclareSessionKill(CLI::App& options);
Action DeclareSessionList(CLI::App& options);
Action DeclareSpectrogram(CLI::App& options);
Action DeclareTop(CLI::App& options);
Action DeclareTrain(CLI::App& options);
Action DeclareTransfer(CLI::App& options);

}  // namespace ddsp::client
