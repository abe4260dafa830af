// Clients that do not speak the language: bytes that are no HTTP/2, messages that are none, methods that do not exist.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/session.pb.h"
#include "load-tests/soak/generic_call.h"
#include "load-tests/soak/known_methods.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/scenario.h"
#include "tests/fuzz/message_mutator.h"

namespace ddsp::soak {
namespace {

// Of calls that would go on.
constexpr double kPatience = 0.5;

// A connection without a client; -1 where nobody listens. `address` is 127.0.0.1:PORT.
class Socket {
 public:
  explicit Socket(const std::string& address) : file_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    int port = 0;
    (void)absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<uint16_t>(port));
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(file_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  }
  ~Socket() { ::close(file_); }
  Socket(const Socket&) = delete;

  bool connected() const { return connected_; }
  // As much as the other side takes before it hangs up.
  void Send(const std::string& bytes) const { (void)!::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Whatever comes in a moment.
  void Hear() const {
    char part[4096];
    pollfd ready{.fd = file_, .events = POLLIN, .revents = 0};
    while (::poll(&ready, 1, 50) > 0 && ::recv(file_, part, sizeof part, 0) > 0) {
    }
  }

 private:
  const int file_;
  bool connected_ = false;
};

std::string Frame(Visit& visit, int64_t size) {
  const std::string payload = visit.Bytes(size);
  std::string frame;
  for (int shift : {16, 8, 0}) frame += static_cast<char>(size >> shift);
  frame += static_cast<char>(visit.Between(0, 10));   // type
  frame += static_cast<char>(visit.Between(0, 255));  // flags
  for (const int64_t byte : {int64_t{0}, int64_t{0}, int64_t{0}, visit.Between(0, 7)}) frame += static_cast<char>(byte);
  return frame + payload;
}

std::string SomeGarbage(Visit& visit) {
  switch (visit.Between(0, 3)) {
    case 0:
      return visit.Bytes(visit.Between(1, 60000));
    case 1:
      return "GET /" + std::string(visit.Between(0, 5000), 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    case 2:
      return "POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n" + visit.Bytes(100);
    default: {
      std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(9, '\0');
      bytes[bytes.size() - 6] = 4;  // empty settings
      for (int64_t frames = visit.Between(1, 20); frames > 0; --frames) bytes += Frame(visit, visit.Between(0, 300));
      return bytes;
    }
  }
}

absl::Status SendGarbage(Visit& visit) {
  const Place& place = visit.place();
  const Socket socket(visit.OneOf({place.server.target, place.server.target, place.admin.target, place.metrics}));
  if (!socket.connected()) return absl::UnavailableError("nobody listens");
  socket.Send(SomeGarbage(visit));
  if (visit.Chance(0.7)) socket.Hear();
  if (visit.Chance(0.2)) Visit::Sleep(visit.Seconds(0, 5));
  return absl::OkStatus();
}

// Opens connections and says nothing.
absl::Status ConnectAndWait(Visit& visit) {
  std::vector<std::unique_ptr<Socket>> sockets;
  for (int64_t left = visit.Between(1, 8); left > 0; --left) {
    sockets.push_back(std::make_unique<Socket>(visit.place().server.target));
    if (!sockets.back()->connected()) return absl::UnavailableError("nobody listens");
  }
  Visit::Sleep(visit.Seconds(0.1, 5));
  return absl::OkStatus();
}

// Any typed answer will do, but none that blames the server; a graph, however, may well give no numbers.
absl::Status ExpectTyped(const std::string& method, const absl::Status& status) {
  const std::string end = EndOf(status);
  const bool fault = end == "INTERNAL" || end == "UNKNOWN" || end == "UNAVAILABLE" ||
                     (end == "MODEL_NUMERIC_FAULT" && method != "/ddsp.v1.Graph/Run");
  if (!fault) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(method, " ended with ", end, ": ", status.message()));
}

const google::protobuf::MethodDescriptor& SomeMethod(Visit& visit) {
  const auto& methods = KnownMethods();
  return *methods[visit.Between(0, static_cast<int64_t>(methods.size()) - 1)];
}

absl::Status SendMalformedMessages(Visit& visit) {
  const auto channel = visit.Connect();
  for (int64_t calls = visit.Between(1, 10); calls > 0; --calls) {
    const std::string method = PathOf(SomeMethod(visit));
    std::vector<std::string> messages(visit.Between(0, 3));
    for (std::string& message : messages) message = visit.Bytes(visit.Between(0, 2000));
    RETURN_IF_ERROR(ExpectTyped(method, CallAnything(channel, method, messages, kPatience)));
  }
  return absl::OkStatus();
}

absl::Status SendMutatedMessages(Visit& visit) {
  const auto channel = visit.Connect();
  for (int64_t calls = visit.Between(1, 10); calls > 0; --calls) {
    const auto& method = SomeMethod(visit);
    std::vector<std::string> messages(visit.Between(1, 3));
    for (std::string& bytes : messages) {
      const auto message = PlausibleMessage(visit, method);
      for (int64_t changes = visit.Between(0, 4); changes > 0; --changes) fuzz::Mutate(message.get(), visit.random());
      bytes = message->SerializePartialAsString();
      if (visit.Chance(0.1) && !bytes.empty()) bytes.resize(visit.Between(0, static_cast<int64_t>(bytes.size())));
    }
    RETURN_IF_ERROR(ExpectTyped(PathOf(method), CallAnything(channel, PathOf(method), messages, kPatience)));
  }
  return absl::OkStatus();
}

// All fields of the first message of a session, in the state that it is meant for.
absl::Status MutateInASession(Visit& visit) {
  const auto* method =
      v1::SessionConfig::descriptor()->file()->FindServiceByName("Synthesis")->FindMethodByName("StreamSession");
  std::vector<std::string> messages = {PlausibleMessage(visit, *method)->SerializeAsString()};
  for (int64_t more = visit.Between(1, 20); more > 0; --more) {
    v1::StreamSessionRequest request;
    for (int64_t changes = visit.Between(1, 6); changes > 0; --changes) fuzz::Mutate(&request, visit.random());
    messages.push_back(request.SerializePartialAsString());
  }
  const absl::Status status = CallAnything(visit.Connect(), PathOf(*method), messages, kPatience);
  return ExpectTyped(PathOf(*method), status);
}

absl::Status CallNobody(Visit& visit) {
  const auto channel = visit.Connect();
  const std::string method =
      visit.OneOf<std::string>({"/ddsp.v1.Synthesis/Dance", "/tensorflow.serving.PredictionService/Predict", "/a/b"});
  return Expect(CallAnything(channel, method, {visit.Bytes(20)}, 5), {"METHOD_NOT_FOUND"});
}

// More than a message may hold.
absl::Status SendTooLargeMessages(Visit& visit) {
  const std::string bytes((4 << 20) + visit.Between(1, 1 << 20), 'x');
  const auto method =
      visit.OneOf<std::string>({"/ddsp.v1.Synthesis/Render", "/ddsp.v1.Synthesis/StreamSession",
                                "/ddsp.v1.Features/Extract", "/inference.GRPCInferenceService/ModelInfer"});
  return Expect(CallAnything(visit.Connect(), method, {bytes}, 10), {"RESOURCE_EXHAUSTED"});
}

}  // namespace

Scenarios GarbageScenarios() {
  return {{"garbage-bytes", 20, SendGarbage},
          {"silent-connections", 8, ConnectAndWait},
          {"malformed-messages", 20, SendMalformedMessages},
          {"mutated-messages", 30, SendMutatedMessages},
          {"mutated-session", 20, MutateInASession},
          {"unknown-methods", 8, CallNobody},
          {"too-large-messages", 4, SendTooLargeMessages}};
}

}  // namespace ddsp::soak
