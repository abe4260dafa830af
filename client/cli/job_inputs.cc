#include "client/cli/job_inputs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/audio/audio_reader.h"
#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

// The first line names the columns.
absl::Status ProbeFeatures(const std::string& path) {
  constexpr size_t kLongestHeader = 4096;
  std::ifstream in(path);
  if (!in) return absl::ErrnoToStatus(errno, path);
  std::string header(kLongestHeader, '\0');
  in.read(header.data(), kLongestHeader);
  header.resize(std::min(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)), header.find('\n')));
  if (absl::StrContains(header, "time_s") && absl::StrContains(header, "f0_hz")) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, ": no features (a CSV file of `ddsp features`)"));
}

absl::Status Probe(const std::string& path, InputKind kind) {
  return kind == InputKind::kRecordings ? AudioReader::Open(path).status() : ProbeFeatures(path);
}

bool IsHidden(const fs::path& path) { return absl::StartsWith(path.filename().string(), "."); }

// Every string of a message is.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int more = lead < 0x80 ? 0 : (lead >> 5) == 6 ? 1 : (lead >> 4) == 14 ? 2 : (lead >> 3) == 30 ? 3 : -1;
    if (more < 0 || i + more >= text.size()) return false;
    for (int k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

class Finder {
 public:
  explicit Finder(InputKind kind) : kind_(kind) {}

  absl::Status AddFile(const fs::path& file) {
    RETURN_IF_ERROR(Probe(file.string(), kind_));
    return Add(file, file.filename().string());
  }

  // `prefix` is empty or ends with '/'.
  absl::Status AddFolder(const fs::path& folder, const std::string& prefix) {
    const size_t before = found_.files.size();
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (IsHidden(entry->path())) {
        if (entry->is_directory(error)) entry.disable_recursion_pending();
        continue;
      }
      std::error_code ignored;
      if (fs::is_directory(entry->path(), ignored)) continue;
      const fs::path relative = entry->path().lexically_relative(folder);
      RETURN_IF_ERROR(AddOrSkip(entry->path(), prefix + relative.generic_string(), relative.generic_string()));
    }
    if (error) return absl::ErrnoToStatus(error.value(), folder.string());
    if (found_.files.size() > before) return absl::OkStatus();
    std::string message = absl::StrCat(folder.string(), ": no ", What(), " in this folder");
    if (!found_.skipped.empty()) absl::StrAppend(&message, " (", found_.skipped.front(), ")");
    return absl::InvalidArgumentError(message);
  }

  absl::StatusOr<InputFiles> Finish() {
    std::sort(found_.files.begin(), found_.files.end(),
              [](const InputFile& a, const InputFile& b) { return a.path < b.path; });
    std::sort(found_.skipped.begin(), found_.skipped.end());
    for (size_t i = 1; i < found_.files.size(); ++i) {
      if (found_.files[i - 1].path != found_.files[i].path) continue;
      return absl::InvalidArgumentError(absl::StrCat(found_.files[i - 1].source, " and ", found_.files[i].source,
                                                     " would both be ", found_.files[i].path,
                                                     ": rename one of them, or name the folder above"));
    }
    return std::move(found_);
  }

 private:
  const char* What() const { return kind_ == InputKind::kRecordings ? "recordings" : "feature files"; }

  // What cannot be read for lack of a right was meant to be used; what is no recording was not.
  absl::Status AddOrSkip(const fs::path& file, const std::string& path, const std::string& name) {
    const absl::Status probed = Probe(file.string(), kind_);
    if (probed.ok()) return Add(file, path);
    if (absl::IsPermissionDenied(probed)) return probed;
    const std::string said(probed.message());
    found_.skipped.push_back(absl::StrCat(name, ": ", absl::StripPrefix(absl::StripPrefix(said, file.string()), ": ")));
    return absl::OkStatus();
  }

  absl::Status Add(const fs::path& file, std::string path) {
    if (!IsUtf8(path)) return absl::InvalidArgumentError(absl::StrCat(file.string(), ": its name is not UTF-8"));
    std::error_code error;
    const auto size = static_cast<int64_t>(fs::file_size(file, error));
    if (error) return absl::ErrnoToStatus(error.value(), file.string());
    found_.files.push_back({std::move(path), file.string(), size});
    return absl::OkStatus();
  }

  const InputKind kind_;
  InputFiles found_;
};

}  // namespace

absl::StatusOr<InputFiles> FindInputs(const std::vector<std::string>& named, InputKind kind) {
  Finder finder(kind);
  for (const std::string& name : named) {
    // Without a last slash, so that a folder has a name; "." has that of the folder it stands for.
    const fs::path path = fs::path(name).has_filename() ? fs::path(name) : fs::path(name).parent_path();
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      RETURN_IF_ERROR(finder.AddFile(path));
      continue;
    }
    const std::string folder = fs::canonical(path, error).filename().string();
    RETURN_IF_ERROR(finder.AddFolder(path, named.size() > 1 ? folder + "/" : ""));
  }
  return finder.Finish();
}

}  // namespace ddsp::client
