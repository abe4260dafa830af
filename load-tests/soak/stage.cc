#include "load-tests/soak/stage.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/understudy.h"

namespace ddsp::soak {
namespace {

namespace fs = std::filesystem;

// Room for everybody who may come: only the understudy is ever taken. Patience is short, so that all of it is seen.
std::vector<std::string> FlagsOf(const std::string& repository, const std::string& data,
                                 const std::vector<std::string>& more) {
  std::vector<std::string> flags = {"--model-repository=" + repository,
                                    "--data-dir=" + data,
                                    "--max-sessions=128",
                                    absl::StrCat("--max-sessions-per-model=", kUnderstudy, "=", kUnderstudySlots),
                                    "--max-device-load=0",
                                    "--idle-timeout-secs=6",
                                    "--output-stall-timeout-secs=3",
                                    "--session-drain-timeout-secs=5"};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stage>> Stage::Build(const StageOptions& options) {
  std::unique_ptr<Stage> stage(new Stage);
  RETURN_IF_ERROR(stage->CopyVoices(options.repository));
  ASSIGN_OR_RETURN(
      stage->server_,
      loadtest::ServerProcess::Start(
          options.server_program, FlagsOf(stage->folder_ + "/voices", stage->folder_ + "/data", options.server_flags),
          options.server_log));
  return stage;
}

absl::Status Stage::CopyVoices(const std::string& repository) {
  std::string folder = (fs::temp_directory_path() / "ddsp-soak-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return absl::InternalError("no folder for voices: " + folder);
  folder_ = folder;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(repository, error)) {
    if (entry.is_directory()) voices_.push_back(entry.path().filename());
  }
  if (voices_.empty()) return absl::NotFoundError(repository + ": no voices");
  std::sort(voices_.begin(), voices_.end());
  const fs::path copies = fs::path(folder_) / "voices";
  fs::copy(repository, copies, fs::copy_options::recursive, error);
  if (!error) fs::copy(fs::path(repository) / voices_[0], copies / kUnderstudy, fs::copy_options::recursive, error);
  return error ? absl::InternalError(absl::StrCat("cannot copy ", repository, ": ", error.message()))
               : absl::OkStatus();
}

Stage::~Stage() {
  server_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

}  // namespace ddsp::soak
