#pragma once

#include <memory>
#include <vector>

#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"

namespace ddsp::server {

// Keeps reflection off a server. The reflection library registers itself with every ServerBuilder of the process as
// soon as it is linked; this takes it (and any other such plugin) away from one builder.
class WithoutPlugins : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override { plugins->clear(); }
};

}  // namespace ddsp::server
