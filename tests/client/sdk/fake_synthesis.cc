#include "tests/client/sdk/fake_synthesis.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "client/sdk/codec.h"

namespace ddsp::client {
namespace {

Codec CodecOf(const v1::AudioFormat& format) {
  if (format.encoding() == v1::OPUS) return Codec::kOpus;
  return format.encoding() == v1::PCM_S16LE ? Codec::kPcm16 : Codec::kPcmFloat;
}

// One session's echo, from format to format; both have the same rate.
class Echo {
 public:
  Echo(const v1::SessionConfig& config, const FakeSynthesis::Behaviour& behaviour, FakeSynthesis::Stream* stream)
      : behaviour_(behaviour),
        stream_(stream),
        decoder_(*MakeDecoder(CodecOf(config.input_format()), config.input_format().sample_rate_hz())),
        encoder_(*MakeEncoder(CodecOf(config.output_format()), config.output_format().sample_rate_hz(), 0)),
        skip_(config.input_format().encoding() == v1::OPUS ? behaviour.codec_delay : 0) {}

  void Start(const v1::SessionConfig& config) {
    v1::StreamSessionResponse response;
    v1::SessionStarted* started = response.mutable_started();
    started->set_session_id("session");
    started->set_model(config.model() + "/1");
    started->set_profile(config.has_profile() ? config.profile().name() : "neutral");
    *started->mutable_input_format() = config.input_format();
    *started->mutable_output_format() = config.output_format();
    started->set_tail_samples(behaviour_.tail);
    started->set_input_credit(behaviour_.input_credit);
    started->set_max_block_bytes(behaviour_.max_block_bytes);
    if (config.input_format().encoding() == v1::OPUS) started->set_input_codec_delay_samples(behaviour_.codec_delay);
    if (config.output_format().encoding() == v1::OPUS) started->set_output_codec_delay_samples(behaviour_.codec_delay);
    stream_->Write(response);
  }

  void Take(const v1::AudioBlock& block) {
    std::vector<float> samples = *decoder_->Decode(block.data());
    if (behaviour_.grants) {
      v1::StreamSessionResponse grant;
      grant.mutable_credit()->set_samples(samples.size());
      stream_->Write(grant);
    }
    const size_t skipped = std::min<size_t>(skip_, samples.size());
    skip_ -= skipped;
    pending_.insert(pending_.end(), samples.begin() + skipped, samples.end());
    Send(encoder_->packet_samples() == 0 ? pending_.size() : encoder_->packet_samples());
  }

  void Finish(bool tail) {
    pending_.resize(pending_.size() + (tail ? behaviour_.tail : 0));
    if (const size_t size = encoder_->packet_samples(); size > 0) {
      pending_.resize((pending_.size() + encoder_->delay() + size - 1) / size * size);
      Send(size);
    } else {
      Send(pending_.size());
    }
    v1::StreamSessionResponse response;
    response.mutable_summary()->set_output_samples(sent_);
    stream_->Write(response);
  }

 private:
  void Send(size_t block_size) {
    while (block_size > 0 && pending_.size() >= block_size) {
      v1::StreamSessionResponse response;
      v1::AudioBlock* block = response.mutable_audio();
      block->set_data(*encoder_->Encode(absl::MakeSpan(pending_).first(block_size)));
      block->set_seq(seq_ += behaviour_.skips_a_block && seq_ == 1 ? 2 : 1);
      block->set_seq(block->seq() - 1);
      block->set_start_sample(sent_);
      stream_->Write(response);
      sent_ += block_size;
      pending_.erase(pending_.begin(), pending_.begin() + block_size);
    }
  }

  const FakeSynthesis::Behaviour& behaviour_;
  FakeSynthesis::Stream* const stream_;
  const std::unique_ptr<Decoder> decoder_;
  const std::unique_ptr<Encoder> encoder_;
  int64_t skip_;
  std::vector<float> pending_;
  uint64_t seq_ = 0;
  int64_t sent_ = 0;
};

}  // namespace

FakeSynthesis::FakeSynthesis(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeSynthesis::~FakeSynthesis() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();  // waits for the handlers, but inside a library, where the thread sanitizer sees nothing of it
  std::lock_guard<std::mutex> lock(mu_);
}

std::vector<v1::StreamSessionRequest> FakeSynthesis::requests() const {
  std::lock_guard<std::mutex> lock(mu_);
  return requests_;
}

grpc::Status FakeSynthesis::StreamSession(grpc::ServerContext* context, Stream* stream) { return Serve(stream); }

grpc::Status FakeSynthesis::Serve(Stream* stream) {
  std::unique_ptr<Echo> echo;
  v1::SessionConfig config;
  v1::StreamSessionRequest request;
  int blocks = 0;
  while (stream->Read(&request)) {
    {
      std::lock_guard<std::mutex> lock(mu_);
      requests_.push_back(request);
    }
    if (request.has_config()) {
      config = request.config();
      echo = std::make_unique<Echo>(config, behaviour_, stream);
      if (behaviour_.answers) echo->Start(config);
    } else if (request.has_audio()) {
      if (blocks++ == behaviour_.fails_after_blocks) return behaviour_.failure;
      echo->Take(request.audio());
    }
  }
  if (echo != nullptr && behaviour_.answers) echo->Finish(config.tail() != v1::TAIL_CUT);
  return grpc::Status::OK;
}

}  // namespace ddsp::client
