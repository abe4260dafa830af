#include "core/datasets/record_import.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/datasets/example_set_writer.h"
#include "core/datasets/notes_record.h"
#include "core/datasets/record_file.h"

namespace ddsp {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

// What the records of a set have in common; the first one decides.
struct Schema {
  std::string description;  // for the recipe
  double frame_rate = 0;
  Shapes shapes;
  std::function<absl::Status(const ExampleRecord&)> check;
};

absl::StatusOr<Schema> RecordingsOf(const RecordLayout& layout) {
  ASSIGN_OR_RETURN(const auto lengths, LengthsOf(layout));
  Schema schema{FlagsOf(layout), static_cast<double>(layout.frame_rate), {}, {}};
  for (const auto& [name, length] : lengths) schema.shapes[name] = {length};
  schema.check = [layout](const ExampleRecord& record) { return CheckRecord(record, layout); };
  return schema;
}

absl::StatusOr<Schema> NotesOf(const ExampleRecord& first, const RecordLayout& layout) {
  ASSIGN_OR_RETURN(const NotesSizes sizes, NotesSizesOf(first));
  if (!(layout.example_secs > 0))
    return absl::InvalidArgumentError(absl::StrCat("example_secs is ", layout.example_secs));
  Schema schema;
  schema.description = absl::StrCat("synthetic notes, --example-secs ", layout.example_secs, " --sample-rate ",
                                    layout.sample_rate, ", ", ToString(sizes));
  schema.frame_rate = static_cast<double>(sizes.n_timesteps) / layout.example_secs;
  schema.shapes = ShapesOf(sizes);
  schema.check = [sizes](const ExampleRecord& record) {
    const absl::StatusOr<NotesSizes> others = NotesSizesOf(record);
    if (!others.ok() || *others == sizes) return others.status();
    return absl::InvalidArgumentError(
        absl::StrCat("has ", ToString(*others), ", expected ", ToString(sizes), ", as the first record has"));
  };
  return schema;
}

// Names, sizes and order of the files: another list is another data set.
std::string RecipeOf(const std::vector<std::string>& files, const std::string& description) {
  std::string list;
  std::error_code error;
  for (const std::string& file : files)
    absl::StrAppend(&list, file, "\n", static_cast<uint64_t>(std::filesystem::file_size(file, error)), "\n");
  return absl::StrCat("import-tfrecord of ", files.size(), " files from ", files.front(), " (",
                      Sha256Hex(list).substr(0, 12), "), ", description);
}

NamedTensors TensorsOf(const ExampleRecord& record, const Shapes& shapes) {
  NamedTensors tensors;
  for (const auto& [name, shape] : shapes) {
    const auto values = record.floats.find(name);
    if (values != record.floats.end()) tensors[name] = at::tensor(values->second).view(shape).unsqueeze(0);
  }
  return tensors;
}

// One pass over all files.
class Importer {
 public:
  Importer(std::vector<std::string> files, const RecordLayout& layout, std::string directory)
      : files_(std::move(files)), layout_(layout), directory_(std::move(directory)) {}

  absl::Status ReadAll(const std::function<void(double)>& progress) {
    for (size_t i = 0; i < files_.size(); ++i) {
      RETURN_IF_ERROR(ReadFile(files_[i], [&](double of_file) {
        progress((static_cast<double>(i) + of_file) / static_cast<double>(files_.size()));
      }));
    }
    if (!writer_) RETURN_IF_ERROR(Begin({}));
    return writer_->Finish();
  }

  const RecordImport& result() const { return result_; }

 private:
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

  absl::Status AddRecord(std::string_view content) {
    ASSIGN_OR_RETURN(const ExampleRecord record, ParseExampleRecord(content));
    if (!writer_) RETURN_IF_ERROR(Begin(record));
    RETURN_IF_ERROR(schema_.check(record));
    return result_.records < there_ ? absl::OkStatus() : writer_->Add(TensorsOf(record, schema_.shapes));
  }

  absl::Status Begin(const ExampleRecord& first) {
    ASSIGN_OR_RETURN(schema_, HasNotes(first) ? NotesOf(first, layout_) : RecordingsOf(layout_));
    // A record that does not fit leaves no folder behind.
    if (!first.names().empty()) RETURN_IF_ERROR(schema_.check(first));
    for (const std::string& name : first.names()) {
      if (!schema_.shapes.contains(name)) result_.left_out.push_back(name);
    }
    ExampleSetWriter::Options options;
    options.recipe = RecipeOf(files_, schema_.description);
    options.sample_rate = layout_.sample_rate;
    options.frame_rate = schema_.frame_rate;
    ASSIGN_OR_RETURN(writer_, ExampleSetWriter::Open(directory_, options));
    there_ = writer_->size();
    return absl::OkStatus();
  }

  const std::vector<std::string> files_;
  const RecordLayout layout_;
  const std::string directory_;
  Schema schema_;
  std::optional<ExampleSetWriter> writer_;
  int64_t there_ = 0;  // examples of an earlier run
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
  if (files.empty()) return absl::InvalidArgumentError("no files to import");
  Importer importer(files, layout, directory);
  RETURN_IF_ERROR(importer.ReadAll(progress));
  return importer.result();
}

}  // namespace ddsp
