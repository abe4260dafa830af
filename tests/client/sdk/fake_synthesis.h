// A Synthesis service in this process that answers audio with the same audio: what a client can be tested against
// alone.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::client {

class FakeSynthesis : public v1::Synthesis::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::StreamSessionResponse, v1::StreamSessionRequest>;
  struct Behaviour {
    int64_t input_credit = 16000;
    bool grants = true;  // gives back what was consumed
    int max_block_bytes = 0;
    int codec_delay = 0;  // of Opus, both ways
    int64_t tail = 0;
    bool answers = true;          // false: never says `started`
    bool skips_a_block = false;   // in the numbering of its output
    int fails_after_blocks = -1;  // ends the call with `failure`
    grpc::Status failure{};
  };
  explicit FakeSynthesis(Behaviour behaviour);
  ~FakeSynthesis() override;

  std::string address() const { return address_; }

  // What came in, in order.
  std::vector<v1::StreamSessionRequest> requests() const;

  grpc::Status StreamSession(grpc::ServerContext* context, Stream* stream) override;

 private:
  grpc::Status Serve(Stream* stream);

  const Behaviour behaviour_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mu_;
  std::vector<v1::StreamSessionRequest> requests_;
};

}  // namespace ddsp::client
