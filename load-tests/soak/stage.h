// A server with the voices that the scenarios play, and what they have to know about it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "load-tests/server_process.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

struct StageOptions {
  std::string server_program;
  std::vector<std::string> server_flags;
  std::string repository;
  std::string server_log;
};

class Stage {
 public:
  static absl::StatusOr<std::unique_ptr<Stage>> Build(const StageOptions& options);
  ~Stage();

  loadtest::ServerProcess& server() { return *server_; }
  const std::vector<std::string>& voices() const { return voices_; }  // without the understudy

 private:
  Stage() = default;
  absl::Status CopyVoices(const std::string& repository);

  std::string folder_;
  std::vector<std::string> voices_;
  std::unique_ptr<loadtest::ServerProcess> server_;
};

}  // namespace ddsp::soak
