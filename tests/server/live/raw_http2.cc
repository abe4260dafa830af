#include "tests/server/live/raw_http2.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ddsp::testing {
namespace {

constexpr int kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7;
constexpr int kEndStream = 1, kAck = 1, kEndHeaders = 4;
constexpr size_t kFrameHeader = 9;

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

// RFC 7541, 5.1 with a prefix of seven bits, and 5.2 without Huffman.
std::string Literal(const std::string& text) {
  std::string coded;
  size_t size = text.size();
  if (size < 127) return std::string(1, static_cast<char>(size)) + text;
  coded.push_back(127);
  for (size -= 127; size >= 128; size /= 128) coded.push_back(static_cast<char>(size % 128 + 128));
  coded.push_back(static_cast<char>(size));
  return coded + text;
}

// 6.2.2: a field that no table remembers.
std::string Field(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + Literal(name) + Literal(value);
}

}  // namespace

RawHttp2::RawHttp2(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) HangUp();
  Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  WriteFrame(kSettings, 0, 0, "");
}

RawHttp2::~RawHttp2() { HangUp(); }

void RawHttp2::HangUp() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void RawHttp2::Write(const std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t wrote = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (wrote <= 0) return;  // the server has hung up: its last words are still to be read
    at += static_cast<size_t>(wrote);
  }
}

void RawHttp2::WriteFrame(int type, int flags, int stream, const std::string& payload) {
  Write(BigEndian(payload.size(), 3) + BigEndian(static_cast<uint64_t>(type), 1) +
        BigEndian(static_cast<uint64_t>(flags), 1) + BigEndian(static_cast<uint64_t>(stream), 4) + payload);
}

int RawHttp2::Begin(const std::string& method, const Headers& headers) {
  std::string block = Field(":method", "POST") + Field(":scheme", "http") + Field(":path", method) +
                      Field(":authority", "localhost") + Field("content-type", "application/grpc") +
                      Field("te", "trailers");
  for (const auto& [name, value] : headers) block += Field(name, value);
  const int stream = next_stream_;
  next_stream_ += 2;
  WriteFrame(kHeaders, kEndHeaders, stream, block);
  return stream;
}

void RawHttp2::Send(int stream, const std::string& message, After after) {
  WriteFrame(kData, after == After::kEnd ? kEndStream : 0, stream,
             std::string(1, '\0') + BigEndian(message.size(), 4) + message);
}

void RawHttp2::SendPart(int stream, uint32_t announced, const std::string& bytes) {
  WriteFrame(kData, 0, stream, std::string(1, '\0') + BigEndian(announced, 4) + bytes);
}

void RawHttp2::Reset(int stream) { WriteFrame(kReset, 0, stream, BigEndian(/*CANCEL*/ 8, 4)); }

bool RawHttp2::ReadExactly(size_t size, std::string* bytes) {
  bytes->resize(size);
  for (size_t at = 0; at < size;) {
    const ssize_t got = ::recv(socket_, bytes->data() + at, size - at, 0);
    if (got <= 0) return false;
    at += static_cast<size_t>(got);
  }
  return true;
}

RawHttp2::Answer RawHttp2::Read(int stream) {
  Answer answer;
  std::string header, payload;
  while (ReadExactly(kFrameHeader, &header)) {
    const auto byte = [&](size_t i) { return static_cast<int>(static_cast<unsigned char>(header[i])); };
    const int type = byte(3), flags = byte(4);
    const int of = (byte(5) & 127) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    if (!ReadExactly(static_cast<size_t>(byte(0) << 16 | byte(1) << 8 | byte(2)), &payload)) break;
    if (type == kSettings && (flags & kAck) == 0) WriteFrame(kSettings, kAck, 0, "");
    if (type == kPing && (flags & kAck) == 0) WriteFrame(kPing, kAck, 0, payload);
    if (type == kGoAway) break;
    if (of != stream) continue;
    answer.header_frames += type == kHeaders;
    answer.data_frames += type == kData;
    answer.reset = type == kReset;
    answer.ended = (type == kHeaders || type == kData) && (flags & kEndStream) != 0;
    if (answer.ended || answer.reset) break;
  }
  return answer;
}

}  // namespace ddsp::testing
