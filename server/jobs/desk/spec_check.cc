#include "server/jobs/desk/spec_check.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/features/feature_settings.h"
#include "core/models/repository.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

// Labels of metrics and sessions that are no voices.
bool IsReserved(const std::string& name) { return name == "features" || name == "unknown"; }

absl::Status CheckNewName(const std::string& bundled_repository, const std::string& name) {
  std::error_code error;
  const bool bundled = std::filesystem::exists(std::filesystem::path(bundled_repository) / name, error);
  if (!bundled && !IsReserved(name)) return absl::OkStatus();
  const std::string problem = absl::StrCat("'", name, "' is a name that this server has given already; choose another");
  return MakeFieldError(Reason::kInvalidJobRequest, "spec.train.model " + problem, {{"spec.train.model", problem}});
}

absl::Status CheckKnown(const std::vector<std::string>& repositories, const std::string& model) {
  for (const std::string& repository : repositories) {
    if (FindVoice(repository, model).ok()) return absl::OkStatus();
  }
  const std::string asked = Echo(model);
  return MakeError(Reason::kModelNotFound, absl::StrCat("no model '", asked, "'"), {{"model", asked}});
}

// Zero: as the workers like it.
absl::Status CheckFrameRate(int frame_rate_hz) {
  FeatureSettings settings;
  if (frame_rate_hz != 0) settings.frame_rate = frame_rate_hz;
  const absl::Status known = ValidateFeatureSettings(settings);
  if (known.ok()) return known;
  const std::string problem(known.message());
  return MakeFieldError(Reason::kInvalidJobRequest, "spec.features.frame_rate_hz: " + problem,
                        {{"spec.features.frame_rate_hz", problem}});
}

}  // namespace

SpecCheck MakeSpecCheck(std::string bundled_repository, std::string models_folder) {
  const std::vector<std::string> repositories = {std::move(bundled_repository), std::move(models_folder)};
  return [repositories](const v1::JobSpec& spec) {
    switch (spec.kind_case()) {
      case v1::JobSpec::kTrain:
        return CheckNewName(repositories[0], spec.train().model());
      case v1::JobSpec::kTransfer:
        return CheckKnown(repositories, spec.transfer().model());
      case v1::JobSpec::kRender:
        return CheckKnown(repositories, spec.render().model());
      case v1::JobSpec::kFeatures:
        return CheckFrameRate(spec.features().frame_rate_hz());
      default:
        return absl::OkStatus();
    }
  };
}

}  // namespace ddsp::server
