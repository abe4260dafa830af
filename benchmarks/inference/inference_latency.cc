// inference_latency HOST:PORT [STREAMS [SECONDS [MODEL]]]: live streams of both surfaces of one server at the same
// time, one hop every 20 ms each; how long after its message each hop's answer is there. The work is the same: the
// samples of both are equal.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ddsp/v1/session.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "inference/grpc_service.grpc.pb.h"

namespace ddsp::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kHop = 320, kRate = 16000;
constexpr std::chrono::milliseconds kPeriod(20);
constexpr int kWarmUp = 50;  // messages that are not counted

std::string Hop(int message) {
  std::vector<float> samples(kHop);
  for (int i = 0; i < kHop; ++i) samples[i] = 0.3f * static_cast<float>((message * kHop + i) % 73) / 73.0f - 0.15f;
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

struct Native {
  using Request = v1::StreamSessionRequest;
  using Response = v1::StreamSessionResponse;
  static auto Open(std::shared_ptr<grpc::Channel> channel, grpc::ClientContext* context, const std::string& model) {
    auto call = v1::Synthesis::NewStub(channel)->StreamSession(context);
    Request first;
    first.mutable_config()->set_model(model);
    first.mutable_config()->mutable_input_format()->set_encoding(v1::PCM_F32LE);
    first.mutable_config()->mutable_input_format()->set_sample_rate_hz(kRate);
    call->Write(first);
    return call;
  }
  static std::vector<Request> Messages(const std::string&, int message, int) {
    std::vector<Request> requests(2);
    requests[0].mutable_audio()->set_seq(message);
    requests[0].mutable_audio()->set_start_sample(int64_t{message} * kHop);
    requests[0].mutable_audio()->set_data(Hop(message));
    requests[1].mutable_flush()->set_id(message);
    return requests;
  }
  // The message that is answered, or -1.
  static int Answered(const Response& response, int messages) {
    if (response.event().kind() != v1::SessionEvent::FLUSHED) return -1;
    const int message = static_cast<int>(response.event().flush_id());
    return message + 1 < messages ? message : -1;  // the end brings the rest
  }
};

struct Inference {
  using Request = inference::ModelInferRequest;
  using Response = inference::ModelStreamInferResponse;
  static auto Open(std::shared_ptr<grpc::Channel> channel, grpc::ClientContext* context, const std::string&) {
    return inference::GRPCInferenceService::NewStub(channel)->ModelStreamInfer(context);
  }
  static std::vector<Request> Messages(const std::string& model, int message, int messages) {
    Request request;
    request.set_model_name(model);
    request.set_id(std::to_string(message));
    (*request.mutable_parameters())["sequence_id"].set_int64_param(1);
    (*request.mutable_parameters())["sequence_start"].set_bool_param(message == 0);
    (*request.mutable_parameters())["sequence_end"].set_bool_param(message + 1 == messages);
    auto* input = request.add_inputs();
    input->set_name("audio");
    input->set_datatype("FP32");
    input->add_shape(kHop);
    request.add_raw_input_contents(Hop(message));
    return {request};
  }
  static int Answered(const Response& response, int messages) {
    if (!response.error_message().empty()) {
      std::fprintf(stderr, "%s\n", response.error_message().c_str());
      std::exit(1);
    }
    const int message = std::atoi(response.infer_response().id().c_str());
    return message + 1 < messages ? message : -1;
  }
};

// Latencies in ms of one stream, which begins at `start`.
template <typename Surface>
std::vector<double> Play(const std::string& address, const std::string& model, int messages, Clock::time_point start) {
  grpc::ChannelArguments own;
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), own);
  grpc::ClientContext context;
  auto call = Surface::Open(channel, &context, model);
  std::vector<Clock::time_point> sent(messages), answered(messages);
  std::thread reader([&] {
    for (typename Surface::Response response; call->Read(&response);) {
      if (const int message = Surface::Answered(response, messages); message >= 0) answered[message] = Clock::now();
    }
  });
  for (int message = 0; message < messages; ++message) {
    const auto requests = Surface::Messages(model, message, messages);
    std::this_thread::sleep_until(start + message * kPeriod);
    sent[message] = Clock::now();
    for (size_t i = 0; i < requests.size(); ++i) {
      call->Write(requests[i], i + 1 < requests.size() ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions());
    }
  }
  call->WritesDone();
  reader.join();
  if (const grpc::Status status = call->Finish(); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.error_message().c_str());
    std::exit(1);
  }
  std::vector<double> latencies;
  for (int message = kWarmUp; message + 1 < messages; ++message) {
    latencies.push_back(std::chrono::duration<double, std::milli>(answered[message] - sent[message]).count());
  }
  return latencies;
}

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void Compare(const std::string& address, int streams, double seconds, const std::string& model) {
  const int messages = static_cast<int>(seconds / 0.02);
  const Clock::time_point start = Clock::now() + std::chrono::milliseconds(200);
  std::vector<std::vector<double>> native(streams), inference(streams);
  std::vector<std::thread> threads;
  for (int i = 0; i < streams; ++i) {
    // Each next to one of the other kind, half a place apart.
    const auto at = start + kPeriod * (2 * i) / (2 * streams), beside = start + kPeriod * (2 * i + 1) / (2 * streams);
    threads.emplace_back([&, i, at] { native[i] = Play<Native>(address, model, messages, at); });
    threads.emplace_back([&, i, beside] { inference[i] = Play<Inference>(address, model, messages, beside); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all[2];
  for (int i = 0; i < streams; ++i) {
    all[0].insert(all[0].end(), native[i].begin(), native[i].end());
    all[1].insert(all[1].end(), inference[i].begin(), inference[i].end());
  }
  for (auto& latencies : all) std::sort(latencies.begin(), latencies.end());
  std::printf("%8s %10s %10s %8s\n", "", "native ms", "KServe ms", "ratio");
  for (const auto& [name, share] : {std::pair("p50", 0.5), std::pair("p90", 0.9), std::pair("p99", 0.99)}) {
    const double mine = Quantile(all[0], share), theirs = Quantile(all[1], share);
    std::printf("%8s %10.3f %10.3f %8.3f\n", name, mine, theirs, theirs / mine);
  }
}

}  // namespace
}  // namespace ddsp::benchmarks

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: inference_latency HOST:PORT [STREAMS [SECONDS [MODEL]]]\n");
    return 2;
  }
  ddsp::benchmarks::Compare(argv[1], argc > 2 ? std::atoi(argv[2]) : 8, argc > 3 ? std::atof(argv[3]) : 10,
                            argc > 4 ? argv[4] : "violin");
  return 0;
}
