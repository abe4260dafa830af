#include "server/jobs/api/job_spec.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/training/recipe/recipe_overrides.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr size_t kMaxViolations = 20;
constexpr int kMaxOverrides = 64;

using Files = google::protobuf::RepeatedPtrField<v1::JobFile>;

std::string Quoted(const std::string& value) { return absl::StrCat("'", Echo(value), "'"); }

bool IsModelId(const std::string& id) {
  return !id.empty() && id.size() <= 63 && id[0] >= 'a' && id[0] <= 'z' &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == id.npos;
}

// A path below a folder, and no way out of it.
bool IsInside(const std::string& path) {
  if (path.empty() || path.size() > 1024 || path.find('\0') != path.npos) return false;
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  for (const std::string& part : parts) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

class Checker {
 public:
  // The first few say what is wrong; a thousand files may have it.
  void Add(std::string field, std::string problem) {
    if (violations_.size() < kMaxViolations) violations_.push_back({std::move(field), std::move(problem)});
  }

  void CheckFiles(const std::string& field, const Files& files) {
    std::set<std::string> paths;
    for (int i = 0; i < files.size(); ++i) {
      const v1::JobFile& file = files[i];
      const std::string at = absl::StrCat(field, "[", i, "]");
      if (!IsInside(file.path())) Add(at + ".path", Quoted(file.path()) + " is no path below a folder");
      if (!paths.insert(file.path()).second) Add(at + ".path", Quoted(file.path()) + " is there twice");
      if (file.sha256().size() != 64 || file.sha256().find_first_not_of("0123456789abcdef") != std::string::npos) {
        Add(at + ".sha256", Quoted(file.sha256()) + " is not 64 lower-case hex digits");
      }
      if (file.size() < 0) Add(at + ".size", absl::StrCat(file.size(), " is negative"));
    }
  }
  void CheckInputs(const std::string& field, const Files& files) {
    if (files.empty()) Add(field, "is empty");
    CheckFiles(field, files);
  }
  void CheckModel(const std::string& field, const std::string& model) {
    if (model.empty()) Add(field, "is empty");
  }

  // As workers read them.
  void CheckRecipe(const v1::TrainSpec& train) {
    if (train.recipe().empty()) {
      Add("spec.train.recipe", "is empty");
    } else if (const absl::Status known = training::CheckRecipeName(train.recipe()); !known.ok()) {
      Add("spec.train.recipe", std::string(known.message()));
    }
    if (train.overrides_size() > kMaxOverrides) {
      return Add("spec.train.overrides", absl::StrCat("holds ", train.overrides_size(), "; at most ", kMaxOverrides));
    }
    training::RecipeOverrides overrides;
    for (int i = 0; i < train.overrides_size(); ++i) {
      const absl::Status read = training::ReadOverride(train.overrides(i), &overrides);
      if (!read.ok()) Add(absl::StrCat("spec.train.overrides[", i, "]"), std::string(read.message()));
    }
  }
  void Check(const v1::TrainSpec& train) {
    CheckInputs("spec.train.data", train.data());
    CheckRecipe(train);
    if (!IsModelId(train.model())) Add("spec.train.model", Quoted(train.model()) + " is not [a-z][a-z0-9-]{0,62}");
    if (train.steps() < 0) Add("spec.train.steps", absl::StrCat(train.steps(), " is negative"));
  }
  void Check(const v1::TransferSpec& transfer) {
    CheckInputs("spec.transfer.inputs", transfer.inputs());
    CheckModel("spec.transfer.model", transfer.model());
  }
  void Check(const v1::RenderSpec& render) {
    CheckInputs("spec.render.inputs", render.inputs());
    CheckModel("spec.render.model", render.model());
  }
  void Check(const v1::FeaturesSpec& features) {
    CheckInputs("spec.features.inputs", features.inputs());
    if (features.frame_rate_hz() < 0 || features.frame_rate_hz() > 250) {
      Add("spec.features.frame_rate_hz", absl::StrCat(features.frame_rate_hz(), " is not in [0, 250]"));
    }
  }

  absl::Status ToStatus() const {
    if (violations_.empty()) return absl::OkStatus();
    const std::string message = absl::StrJoin(violations_, "\n", [](std::string* out, const FieldViolation& violation) {
      absl::StrAppend(out, violation.field, " ", violation.description);
    });
    return MakeFieldError(Reason::kInvalidJobRequest, message, violations_);
  }

 private:
  std::vector<FieldViolation> violations_;
};

}  // namespace

std::string KindOf(const v1::JobSpec& spec) {
  if (spec.kind_case() == v1::JobSpec::KIND_NOT_SET) return "";
  return v1::JobSpec::descriptor()->FindFieldByNumber(spec.kind_case())->name();
}

absl::Status Validate(const v1::JobSpec& spec) {
  Checker checker;
  switch (spec.kind_case()) {
    case v1::JobSpec::kTrain:
      checker.Check(spec.train());
      break;
    case v1::JobSpec::kTransfer:
      checker.Check(spec.transfer());
      break;
    case v1::JobSpec::kRender:
      checker.Check(spec.render());
      break;
    case v1::JobSpec::kFeatures:
      checker.Check(spec.features());
      break;
    case v1::JobSpec::KIND_NOT_SET:
      checker.Add("spec", "has no kind (train, transfer, render, features)");
  }
  return checker.ToStatus();
}

absl::Status ValidateFiles(const std::string& field, const Files& files) {
  Checker checker;
  checker.CheckFiles(field, files);
  return checker.ToStatus();
}

}  // namespace ddsp::server
