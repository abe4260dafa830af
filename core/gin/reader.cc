#include "core/gin/reader.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/gin/parser.h"

namespace ddsp::gin {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIncludeDepth = 32;
constexpr int kMaxIncludes = 1000;
constexpr size_t kMaxStatements = 10000;  // what upstream writes has two hundred

class Reader {
 public:
  Reader(const IncludeResolver& files, Config* config) : files_(files), config_(config) {}

  absl::Status Read(absl::string_view text, const std::string& name) {
    ASSIGN_OR_RETURN(const std::vector<Statement> statements, ParseStatements(text, name));
    statements_ += statements.size();
    if (statements_ > kMaxStatements) {
      return ErrorAt({name, 0, 0}, absl::StrCat("more than ", kMaxStatements, " statements"));
    }
    open_.push_back(name);
    for (const Statement& statement : statements) {
      RETURN_IF_ERROR(std::visit([this](const auto& s) { return Apply(s); }, statement));
    }
    open_.pop_back();
    return absl::OkStatus();
  }

 private:
  absl::Status Apply(const BindingStatement& binding) {
    if (binding.parameter.empty()) {
      config_->SetMacro(binding.scope, binding.value, binding.position);
    } else {
      config_->Bind({binding.scope, binding.selector, binding.parameter}, binding.value, binding.position);
    }
    return absl::OkStatus();
  }

  absl::Status Apply(const ImportStatement& import) {
    const auto& known = config_->imports();
    if (std::find(known.begin(), known.end(), import.text) == known.end()) config_->AddImport(import.text);
    return absl::OkStatus();
  }

  absl::Status Apply(const IncludeStatement& include) {
    const auto file = files_.Open(include.path, open_.back());
    if (!file.ok()) return ErrorAt(include.position, absl::StrCat("include: ", file.status().message()));
    if (std::find(open_.begin(), open_.end(), file->name) != open_.end()) {
      return ErrorAt(include.position, absl::StrCat("files include each other in a circle: ",
                                                    absl::StrJoin(open_, ", "), ", ", file->name));
    }
    if (open_.size() == kMaxIncludeDepth || ++includes_ > kMaxIncludes) {
      return ErrorAt(include.position, "too many includes");
    }
    return Read(file->text, file->name);
  }

  const IncludeResolver& files_;
  Config* const config_;
  std::vector<std::string> open_;  // files that are being read, outermost first
  int includes_ = 0;
  size_t statements_ = 0;
};

}  // namespace

absl::StatusOr<IncludeResolver::File> DiskFiles::Open(const std::string& path, const std::string& from) const {
  std::vector<fs::path> places = {fs::path(from).parent_path() / path};
  for (const std::string& directory : search_paths_) places.push_back(fs::path(directory) / path);
  for (const fs::path& place : places) {
    std::error_code error;
    if (!fs::is_regular_file(place, error)) continue;
    const std::string name = place.lexically_normal().string();
    ASSIGN_OR_RETURN(std::string text, ReadFile(name));
    return File{name, std::move(text)};
  }
  const auto name = [](std::string* out, const fs::path& place) { out->append(place.lexically_normal().string()); };
  return absl::NotFoundError(absl::StrCat("no file ", absl::StrJoin(places, " or ", name)));
}

absl::StatusOr<IncludeResolver::File> NoFiles::Open(const std::string& path, const std::string&) const {
  return absl::NotFoundError(absl::StrCat("'", path, "': files cannot be included here"));
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& name, const IncludeResolver& files) {
  Config config;
  RETURN_IF_ERROR(Reader(files, &config).Read(text, name));
  return config;
}

absl::StatusOr<Config> ReadConfig(const std::string& path, const IncludeResolver& files) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseConfig(text, fs::path(path).lexically_normal().string(), files);
}

absl::Status Override(const std::vector<std::string>& bindings, Config* config) {
  Config changed = *config;
  for (size_t i = 0; i < bindings.size(); ++i) {
    RETURN_IF_ERROR(Reader(NoFiles(), &changed).Read(bindings[i], absl::StrCat("gin_param ", i + 1)));
  }
  *config = std::move(changed);
  return absl::OkStatus();
}

}  // namespace ddsp::gin
