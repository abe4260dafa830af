#include "tests/chaos/replica.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace ddsp::testing {
namespace {

constexpr char kAnnouncement[] = "serving on port ";

int PortIn(const std::string& said) {
  const size_t at = said.rfind(kAnnouncement);
  return at == std::string::npos ? 0 : std::atoi(said.c_str() + at + sizeof kAnnouncement - 1);
}

}  // namespace

std::string Replica::address() const { return absl::StrCat("127.0.0.1:", port_); }

absl::Status Replica::Start() {
  std::vector<std::string> command = {
      settings_.program, "--listen=" + address(), "--metrics-listen", "", "--admin-listen", ""};
  command.insert(command.end(), settings_.flags.begin(), settings_.flags.end());
  program_ = std::make_unique<Program>(command, absl::StrCat(settings_.log, ".", ++starts_));
  Until([&] { return PortIn(program_->said()) > 0 || !program_->running(); });
  port_ = PortIn(program_->said());
  return port_ > 0 ? absl::OkStatus() : absl::UnavailableError("a server did not start: " + last_words());
}

std::string Replica::last_words() const {
  constexpr size_t kMost = 2000;
  const std::string said = program_ == nullptr ? "" : program_->said();
  return said.substr(said.size() - std::min(said.size(), kMost));
}

}  // namespace ddsp::testing
