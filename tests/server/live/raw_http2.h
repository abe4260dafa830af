// A client that speaks HTTP/2 frame by frame, for what no client library shows or does.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ddsp::testing {

class RawHttp2 {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  enum class After { kMore, kEnd };  // whether the client has more to say

  explicit RawHttp2(int port);
  ~RawHttp2();
  RawHttp2(const RawHttp2&) = delete;

  // Begins a call of gRPC and returns its stream. A connection has any number of them.
  int Begin(const std::string& method, const Headers& headers = {});
  // One message, at most 16 KiB.
  void Send(int stream, const std::string& message, After after);
  // So many bytes of what is to be a message of `announced`.
  void SendPart(int stream, uint32_t announced, const std::string& bytes);
  void Reset(int stream);
  void HangUp();

  struct Answer {
    int header_frames = 0;
    int data_frames = 0;
    bool ended = false;  // by the server, with its last frame
    bool reset = false;  // by the server, without an end
  };
  // Until the server has ended the stream or hung up.
  Answer Read(int stream);

 private:
  void Write(const std::string& bytes);
  void WriteFrame(int type, int flags, int stream, const std::string& payload);
  bool ReadExactly(size_t size, std::string* bytes);

  int socket_;
  int next_stream_ = 1;
};

}  // namespace ddsp::testing
