// No version of a voice, whatever its files say, may crash its loader, the golden test included.
//
// An input is a list of files that differ from those of a good voice, between lines of "%%%": a letter, then the
// content. s: model.textproto, w: weights, g: golden audio, m: manifest, c: model card. Without m the manifest fits the
// files; without w the weights have the shapes that the specification wants, where those are of a reasonable size.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/sha256.h"
#include "core/models/bundle_format.h"
#include "core/models/manifest.h"
#include "core/models/text_proto.h"
#include "core/streaming/voice_loader.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

constexpr char kBetweenFiles[] = "\n%%%\n";
constexpr int64_t kMostMadeWeights = 20000;
const std::map<char, std::string> kFiles = {
    {'s', kSpecFile}, {'w', kWeightsFile}, {'g', kGoldenFile}, {'m', kManifestFile}, {'c', kCardFile}};

using Files = std::map<char, std::string>;

// A good voice, and where others are put.
class Workplace {
 public:
  static Workplace& Get() {
    static Workplace* const place = new Workplace;
    return *place;
  }

  const Files& good() const { return good_; }
  std::string directory() const { return folder_.path() + "/violin/1"; }

  void Write(const Files& files) const {
    for (const auto& [letter, path] : kFiles) {
      const auto file = files.find(letter);
      if (file == files.end()) {
        fs::remove(directory() + "/" + path);
      } else {
        std::ofstream(directory() + "/" + path, std::ios::binary) << file->second;
      }
    }
  }

  // Weights that fit `spec`, small ones; those of the good voice where they would be too many.
  std::string WeightsFor(const v1::VoiceSpec& spec) const {
    const int layers = spec.decoder().layers_per_stack();
    if (layers < 0 || layers > 16 || spec.decoder().input_keys_size() > 16) return good_.at('w');
    int64_t elements = 0;
    SafetensorsWriter writer;
    for (const auto& [name, shape] : DecoderWeights(spec)) {
      double size = 1;
      for (const int64_t extent : shape) size *= extent < 0 ? 1e9 : static_cast<double>(extent);
      if (size + static_cast<double>(elements) > kMostMadeWeights) return good_.at('w');
      elements += static_cast<int64_t>(size);
      const std::vector<float> values(static_cast<size_t>(size), 0.01f);
      writer.AddFloats(name, shape, values.data());
    }
    for (const auto& node : spec.graph().nodes()) {
      const std::vector<float> values(20, 0.01f);
      if (absl::StrContains(node.type(), "Reverb")) writer.AddFloats(node.name() + "/ir", {20}, values.data());
    }
    return writer.Format();
  }

 private:
  Workplace() {
    ddsp::testing::TestVoiceOptions options;
    options.name = "violin";
    options.rnn_channels = 4;
    options.channels = 4;
    options.harmonics = 3;
    options.noise_bands = 5;
    options.reverb_length = 20;
    auto voice = std::make_shared<Voice>(ddsp::testing::MakeTestVoice(options));
    RoundWeights(WeightStorage::kFloat16, &voice->weights);
    DDSP_CHECK(CompleteVoice(ddsp::testing::TestMelody(400), 7, voice).ok(), "the voice is good");
    DDSP_CHECK(WriteBundle(directory(), *voice, WeightStorage::kFloat16).ok(), "the voice is written");
    for (const auto& [letter, path] : kFiles) {
      if (const auto content = ReadFile(directory() + "/" + path); content.ok()) good_[letter] = *content;
    }
    DDSP_CHECK(LoadVoice(directory()).ok(), "the voice is read");
    good_.erase('m');
  }

  const ddsp::testing::TempDir folder_;
  Files good_;
};

bool ParseSpec(const std::string& text, v1::VoiceSpec* spec) {
  class Quiet : public google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  } quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  return parser.ParseFromString(text, spec);
}

std::string ManifestOf(const Files& files) {
  v1::Manifest manifest;
  for (const char letter : {'s', 'w', 'g'}) {
    v1::Manifest::File* file = manifest.add_files();
    file->set_path(kFiles.at(letter));
    file->set_size(static_cast<int64_t>(files.at(letter).size()));
    file->set_sha256(Sha256Hex(files.at(letter)));
  }
  return FormatTextProto(manifest);
}

Files FilesOf(const std::string& input) {
  Files files = Workplace::Get().good(), changed;
  for (const absl::string_view part : absl::StrSplit(input, kBetweenFiles)) {
    if (!part.empty() && kFiles.count(part[0]) > 0) changed[part[0]] = std::string(part.substr(1));
  }
  for (const auto& [letter, content] : changed) files[letter] = content;
  v1::VoiceSpec spec;
  if (changed.count('s') > 0 && changed.count('w') == 0 && ParseSpec(changed['s'], &spec)) {
    files['w'] = Workplace::Get().WeightsFor(spec);
  }
  if (changed.count('m') == 0) files['m'] = ManifestOf(files);
  return files;
}

// What is copied is what was there, and lies where it may.
void Copy(const std::string& directory) {
  const auto read = [&](const std::string& path) -> absl::StatusOr<std::string> {
    if (path.empty() || path[0] == '/' || absl::StrContains("/" + path + "/", "/../")) std::abort();
    if (!fs::is_regular_file(directory + "/" + path)) return absl::NotFoundError(path);
    return ReadFile(directory + "/" + path);
  };
  CopyBundle(read, [&](const std::string& path, const std::string& content) {
    if (*ReadFile(directory + "/" + path) != content) std::abort();
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace
}  // namespace ddsp

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Mostly changes a file of the list, a specification field by field; now and then the list.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::string> parts =
      absl::StrSplit(std::string(reinterpret_cast<const char*>(data), size), ddsp::kBetweenFiles);
  std::string& part = parts[random() % parts.size()];
  ddsp::v1::VoiceSpec spec;
  switch (random() % 16) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 1: {
      const auto& good = ddsp::Workplace::Get().good();
      const auto& [letter, content] = *std::next(good.begin(), static_cast<int>(random() % good.size()));
      parts.push_back(letter + content);
      break;
    }
    case 2:
      parts.erase(parts.begin() + static_cast<int>(random() % parts.size()));
      break;
    default:
      if (part.empty() || part[0] != 's' || !ddsp::ParseSpec(part.substr(1), &spec)) {
        std::vector<uint8_t> bytes(part.begin(), part.end());
        bytes.resize(part.size() + 64);
        bytes.resize(LLVMFuzzerMutate(bytes.data(), part.size(), bytes.size()));
        part.assign(bytes.begin(), bytes.end());
        break;
      }
      for (unsigned i = 1 + random() % 3; i > 0; --i) ddsp::fuzz::Mutate(&spec, random);
      google::protobuf::TextFormat::PrintToString(spec, &part);
      part.insert(0, "s");
  }
  const std::string text = absl::StrJoin(parts, ddsp::kBetweenFiles);
  if (text.size() > max_size) return size;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto& place = ddsp::Workplace::Get();
  place.Write(ddsp::FilesOf(std::string(reinterpret_cast<const char*>(data), size)));
  ddsp::Copy(place.directory());
  ddsp::LoadVoice(place.directory()).status().IgnoreError();
  return 0;
}
