// The methods of a server by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/call.h"

namespace ddsp::server {

class MethodTable : public CallRouter {
 public:
  using Handle = std::function<std::unique_ptr<CallHandler>(Call&)>;

  // `service` "ddsp.v1.Synthesis", `method` "Render". Before the first call.
  void Add(const std::string& service, const std::string& method, Handle handle) {
    methods_["/" + service + "/" + method] = std::move(handle);
    if (services_.empty() || services_.back() != service) services_.push_back(service);
  }

  std::unique_ptr<CallHandler> Route(const std::string& method, Call& call) override {
    const auto found = methods_.find(method);
    return found == methods_.end() ? nullptr : found->second(call);
  }

  bool Knows(const std::string& method) const override { return methods_.contains(method); }

  // Of all methods of a service, those that there are not included.
  void SetErrorText(const std::string& service, ErrorText text) { error_texts_["/" + service] = text; }
  ErrorText ErrorTextOf(const std::string& method) const override {
    const auto found = error_texts_.find(method.substr(0, method.rfind('/')));
    return found == error_texts_.end() ? ErrorText::kMessage : found->second;
  }
  bool Has(const std::string& service, const std::string& method) const {
    return methods_.contains("/" + service + "/" + method);
  }

  // "/ddsp.v1.Synthesis/Render", all of them.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, handle] : methods_) names.push_back(name);
    return names;
  }

  // In the order in which they were added.
  const std::vector<std::string>& services() const { return services_; }

 private:
  std::map<std::string, Handle> methods_;
  std::vector<std::string> services_;
  std::map<std::string, ErrorText> error_texts_;
};

}  // namespace ddsp::server
