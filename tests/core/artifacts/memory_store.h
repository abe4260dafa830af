// An object store in memory, with faults that tests ask for.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/artifacts/object_store.h"

namespace ddsp::testing {

class MemoryStore : public ObjectStore {
 public:
  std::string name() const override { return "memory://store"; }

  absl::StatusOr<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    std::vector<ObjectInfo> found;
    for (const auto& [key, object] : objects) {
      if (absl::StartsWith(key, prefix)) found.push_back({.key = key, .etag = absl::StrCat(object.revision)});
    }
    return found;
  }
  absl::StatusOr<std::string> Get(const std::string& key) override {
    if (away) return absl::UnavailableError("the store is away");
    const auto object = objects.find(key);
    if (object == objects.end()) return absl::NotFoundError(key);
    return object->second.content;
  }
  absl::Status Write(const std::string& key, const std::string& content, Put put) override {
    if (before_write) before_write(key);
    if (key == failing_key) return absl::UnavailableError("no room");
    if (put == Put::kNew && objects.count(key) > 0) return absl::AlreadyExistsError(key);
    objects[key] = {content, ++revision_};
    written.push_back(key);
    return absl::OkStatus();
  }

  struct Object {
    std::string content;
    int revision = 0;
  };
  std::map<std::string, Object> objects;
  std::vector<std::string> written;  // in order
  std::string failing_key;
  bool away = false;
  std::function<void(const std::string& key)> before_write;

 private:
  int revision_ = 0;
};

}  // namespace ddsp::testing
