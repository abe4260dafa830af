#include "core/training/dataset_writer.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int64_t kHeaderRoom = 65536;  // bytes, the length in front not counted
constexpr size_t kHeaderFull = 32768;   // names of recordings are shorter than what is left

// Names of files need not be UTF-8, which JSON is.
std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string FormatRemarks(const std::vector<RecordingRemark>& remarks) {
  Json list = Json::array();
  for (const RecordingRemark& remark : remarks) list.push_back({{"name", remark.name}, {"text", remark.text}});
  return Dump(list);
}

std::string FormatExamples(const ExampleSettings& examples) {
  return Dump({{"example_secs", examples.example_secs},
               {"hop_secs", examples.hop_secs},
               {"chunk_secs", examples.chunk_secs},
               {"held_out_fraction", examples.held_out_fraction}});
}

// Settings as tensors: a text would have to be parsed.
std::vector<float> Pack(const FeatureSettings& s) {
  return {static_cast<float>(s.sample_rate),
          static_cast<float>(s.frame_rate),
          static_cast<float>(s.power_frame_size),
          static_cast<float>(s.loudness_fft_size),
          s.min_f0_hz,
          s.max_f0_hz,
          static_cast<float>(s.version)};
}

absl::Status RemoveEarlierSet(const std::string& directory) {
  std::error_code error;
  fs::remove(absl::StrCat(directory, "/", kDatasetIndexFile), error);  // first: what is left is then no set
  std::vector<fs::path> shards;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool shard = absl::EndsWith(name, ".safetensors") || absl::EndsWith(name, ".safetensors.part");
    if (absl::StartsWith(name, "shard-") && shard) shards.push_back(it->path());
  }
  for (const fs::path& shard : shards) fs::remove(shard, error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace

std::string ShardName(int64_t shard) { return absl::StrFormat("shard-%05d.safetensors", shard); }

absl::StatusOr<std::unique_ptr<DatasetWriter>> DatasetWriter::Create(const std::string& directory,
                                                                     int64_t shard_bytes) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return absl::InternalError(absl::StrCat("cannot make ", directory, ": ", error.message()));
  RETURN_IF_ERROR(RemoveEarlierSet(directory));
  return std::unique_ptr<DatasetWriter>(new DatasetWriter(directory, shard_bytes));
}

DatasetWriter::~DatasetWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  unlink(PartPath().c_str());
}

std::string DatasetWriter::PartPath() const { return absl::StrCat(directory_, "/", ShardName(shards_), ".part"); }

absl::Status DatasetWriter::Write(const void* bytes, size_t size) {
  if (std::fwrite(bytes, 1, size, file_) != size) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", PartPath()));
  }
  return absl::OkStatus();
}

absl::Status DatasetWriter::Seek(int64_t data_offset) {
  at_ = data_offset;
  if (fseeko(file_, 8 + kHeaderRoom + data_offset, SEEK_SET) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", PartPath()));
}

absl::Status DatasetWriter::OpenShard() {
  file_ = std::fopen(PartPath().c_str(), "wb");
  if (file_ == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", PartPath()));
  entries_.clear();
  header_estimate_ = 0;
  return Seek(0);
}

absl::Status DatasetWriter::Begin(const std::string& name) {
  if (file_ == nullptr) RETURN_IF_ERROR(OpenShard());
  current_ = {absl::StrFormat("%06d", recordings_), name, at_, 0, 0};
  return absl::OkStatus();
}

absl::Status DatasetWriter::Append(absl::Span<const float> audio) {
  current_.samples += static_cast<int64_t>(audio.size());
  at_ += static_cast<int64_t>(audio.size() * sizeof(float));
  return Write(audio.data(), audio.size() * sizeof(float));
}

absl::Status DatasetWriter::End(int64_t samples, const std::vector<FeatureFrame>& frames) {
  DDSP_CHECK(samples <= current_.samples, "a recording is a part of what was appended");
  current_.samples = samples;
  current_.frames = static_cast<int64_t>(frames.size());
  RETURN_IF_ERROR(Seek(current_.begin + samples * static_cast<int64_t>(sizeof(float))));
  for (const FeatureFrame& frame : frames) {
    const float row[kShardFeatureColumns] = {frame.f0_hz, frame.f0_confidence, frame.voiced ? 1.0f : 0.0f,
                                             frame.loudness_db, frame.power_db};
    RETURN_IF_ERROR(Write(row, sizeof(row)));
    at_ += sizeof(row);
  }
  entries_.push_back(current_);
  ++recordings_;
  header_estimate_ += 200 + 6 * current_.name.size();  // each byte may be escaped
  if (at_ >= shard_bytes_ || header_estimate_ >= kHeaderFull) return CloseShard();
  return absl::OkStatus();
}

absl::Status DatasetWriter::Drop() { return Seek(current_.begin); }

absl::Status DatasetWriter::CloseShard() {
  Json header = Json::object();
  for (const Entry& entry : entries_) header["__metadata__"][entry.key] = entry.name;
  for (const Entry& entry : entries_) {
    const int64_t features = entry.begin + entry.samples * static_cast<int64_t>(sizeof(float));
    const int64_t end = features + entry.frames * kShardFeatureColumns * static_cast<int64_t>(sizeof(float));
    header[entry.key + "/audio"] = {
        {"dtype", "F32"}, {"shape", {entry.samples}}, {"data_offsets", {entry.begin, features}}};
    header[entry.key + "/features"] = {
        {"dtype", "F32"}, {"shape", {entry.frames, kShardFeatureColumns}}, {"data_offsets", {features, end}}};
  }
  std::string text = Dump(header);
  DDSP_CHECK(static_cast<int64_t>(text.size()) <= kHeaderRoom, "the header fits its room");
  text.resize(kHeaderRoom, ' ');
  const uint64_t size = kHeaderRoom;
  const int64_t end = 8 + kHeaderRoom + at_;
  std::rewind(file_);
  RETURN_IF_ERROR(Write(&size, sizeof(size)));
  RETURN_IF_ERROR(Write(text.data(), text.size()));
  // Behind the end there may be the rest of a recording that was cut or dropped.
  const bool written = std::fflush(file_) == 0 && ftruncate(fileno(file_), end) == 0 && fsync(fileno(file_)) == 0;
  const std::string part = PartPath(), path = absl::StrCat(directory_, "/", ShardName(shards_));
  if (!written) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", part));
  std::fclose(file_);
  file_ = nullptr;
  if (std::rename(part.c_str(), path.c_str()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot name ", path));
  ++shards_;
  return absl::OkStatus();
}

absl::Status DatasetWriter::Finish(const Dataset& dataset) {
  if (file_ != nullptr && !entries_.empty()) RETURN_IF_ERROR(CloseShard());
  SafetensorsWriter index;
  const std::vector<float> settings = Pack(dataset.settings);
  index.AddFloats("settings", {static_cast<int64_t>(settings.size())}, settings.data());
  index.SetMetadata("fingerprint", dataset.fingerprint);
  index.SetMetadata("sample_rate", absl::StrCat(dataset.sample_rate));
  index.SetMetadata("shards", absl::StrCat(shards_));
  index.SetMetadata("examples", FormatExamples(dataset.examples));
  index.SetMetadata("skipped", FormatRemarks(dataset.skipped));
  index.SetMetadata("warnings", FormatRemarks(dataset.warnings));
  return index.Write(absl::StrCat(directory_, "/", kDatasetIndexFile));
}

}  // namespace ddsp::training
