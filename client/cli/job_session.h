// What the commands about jobs share: where the server is, and how it is called.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"
#include "client/sdk/blob_transfer.h"
#include "client/sdk/jobs_client.h"
#include "client/sdk/server_address.h"

namespace ddsp::client {

struct JobOptions {
  ServerAddress server;
  bool json = false;   // one object on stdout, and nothing else
};

// --server, or the environment's DDSP_SERVER, and --output.
void AddJobOptions(CLI::App& app, JobOptions* options);

// A connection that outlasts restarts of the server, and ends with Ctrl-C.
class JobSession {
 public:
  // `on_trouble` is called before each pause between attempts; may be unset.
  explicit JobSession(const JobOptions& options, std::function<void()> on_trouble = {});

  JobsClient& jobs() { return jobs_; }
  BlobTransfer& blobs() { return blobs_; }

  // An error of either as people should read it, with its exit code; OK stays OK.
  absl::Status Explain(const absl::Status& error) const;

 private:
  CallOptions MakeCallOptions(std::function<void()> on_trouble);

  const std::string server_;  // for people
  Interrupt interrupt_;
  const std::shared_ptr<JobsCaller> caller_;
  JobsClient jobs_;
  BlobTransfer blobs_;
};

}  // namespace ddsp::client
