#include "worker/runners/batch_record.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ddsp::worker {

absl::StatusOr<BatchRecord> BatchRecord::Parse(const std::string& text) {
  try {
    const nlohmann::json record = nlohmann::json::parse(text);
    BatchRecord batch;
    for (const auto& entry : record.at("made")) {
      v1::JobFile file;
      file.set_path(entry.at("path").get<std::string>());
      file.set_sha256(entry.at("sha256").get<std::string>());
      file.set_size(entry.at("size").get<int64_t>());
      batch.AddMade(entry.at("input").get<std::string>(), file);
    }
    for (const auto& entry : record.at("skipped")) {
      batch.AddSkipped(entry.at("input").get<std::string>(), entry.at("error").get<std::string>());
    }
    return batch;
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("no record of a batch: ", error.what()));
  }
}

std::string BatchRecord::Format() const {
  nlohmann::json made = nlohmann::json::array(), skipped = nlohmann::json::array();
  for (const auto& [input, file] : made_) {
    made.push_back({{"input", input}, {"path", file.path()}, {"sha256", file.sha256()}, {"size", file.size()}});
  }
  for (const auto& [input, error] : skipped_) skipped.push_back({{"input", input}, {"error", error}});
  // Names and errors may hold bytes that are no UTF-8, which JSON has not.
  return nlohmann::json{{"made", made}, {"skipped", skipped}}.dump(1, ' ', false,
                                                                   nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace ddsp::worker
