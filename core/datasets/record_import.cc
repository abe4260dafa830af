#include "core/datasets/record_import.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/datasets/example_set_writer.h"
#include "core/datasets/record_file.h"

namespace ddsp {
namespace {

// Names, sizes and order of the files: another list is another data set.
std::string RecipeOf(const std::vector<std::string>& files, const RecordLayout& layout) {
  std::string list;
  std::error_code error;
  for (const std::string& file : files)
    absl::StrAppend(&list, file, "\n", static_cast<uint64_t>(std::filesystem::file_size(file, error)), "\n");
  return absl::StrCat("import-tfrecord of ", files.size(), " files from ", files.front(), " (",
                      Sha256Hex(list).substr(0, 12), "), ", FlagsOf(layout));
}

NamedTensors TensorsOf(const ExampleRecord& record, const std::map<std::string, int64_t>& lengths) {
  NamedTensors tensors;
  for (const auto& [name, length] : lengths) {
    const auto values = record.floats.find(name);
    if (values != record.floats.end()) tensors[name] = at::tensor(values->second).unsqueeze(0);
  }
  return tensors;
}

// One pass over all files.
class Importer {
 public:
  Importer(const RecordLayout& layout, std::map<std::string, int64_t> lengths, ExampleSetWriter* writer)
      : layout_(layout), lengths_(std::move(lengths)), writer_(*writer), there_(writer->size()) {}

  // Records of an earlier run are read again, not added again.
  absl::Status ReadFile(const std::string& path, const std::function<void(double)>& progress) {
    ASSIGN_OR_RETURN(const RecordFile file, RecordFile::Open(path));
    RecordReader reader = file.records();
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<std::string_view> content, reader.Next());
      if (!content) return absl::OkStatus();
      if (result_.records == 0 || result_.records >= there_) {
        const absl::Status status = AddRecord(*content);
        if (!status.ok()) return absl::Status(status.code(), absl::StrCat(reader.position(), ": ", status.message()));
      }
      ++result_.records;
      progress(static_cast<double>(reader.bytes_read()) / static_cast<double>(file.bytes().size()));
    }
  }

  const RecordImport& result() const { return result_; }

 private:
  absl::Status AddRecord(std::string_view content) {
    ASSIGN_OR_RETURN(const ExampleRecord record, ParseExampleRecord(content));
    RETURN_IF_ERROR(CheckRecord(record, layout_));
    if (result_.records == 0) {
      for (const std::string& name : record.names()) {
        if (!lengths_.contains(name)) result_.left_out.push_back(name);
      }
    }
    return result_.records < there_ ? absl::OkStatus() : writer_.Add(TensorsOf(record, lengths_));
  }

  const RecordLayout layout_;
  const std::map<std::string, int64_t> lengths_;
  ExampleSetWriter& writer_;
  const int64_t there_;
  RecordImport result_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> FindRecordFiles(const std::string& pattern) {
  glob_t found = {};
  const int result = glob(pattern.c_str(), GLOB_TILDE, nullptr, &found);
  std::vector<std::string> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::erase_if(files, [](const std::string& file) { return std::filesystem::is_directory(file); });
  if (result != 0 || files.empty())
    return absl::NotFoundError(absl::StrCat("no file fits the pattern '", pattern, "'"));
  return files;
}

absl::StatusOr<RecordImport> ImportRecords(const std::vector<std::string>& files, const RecordLayout& layout,
                                           const std::string& directory, const std::function<void(double)>& progress) {
  ASSIGN_OR_RETURN(auto lengths, LengthsOf(layout));
  if (files.empty()) return absl::InvalidArgumentError("no files to import");
  ExampleSetWriter::Options options;
  options.recipe = RecipeOf(files, layout);
  options.sample_rate = layout.sample_rate;
  options.frame_rate = layout.frame_rate;
  ASSIGN_OR_RETURN(ExampleSetWriter writer, ExampleSetWriter::Open(directory, options));
  Importer importer(layout, std::move(lengths), &writer);
  for (size_t i = 0; i < files.size(); ++i) {
    RETURN_IF_ERROR(importer.ReadFile(files[i], [&](double of_file) {
      progress((static_cast<double>(i) + of_file) / static_cast<double>(files.size()));
    }));
  }
  RETURN_IF_ERROR(writer.Finish());
  return importer.result();
}

}  // namespace ddsp
