// HTTP requests through libcurl: whole bodies in memory, with limits of time and size.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ddsp {

struct HttpRequest {
  std::string method = "GET";  // GET, HEAD, PUT or DELETE
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                           // of PUT
  int64_t max_body_bytes = int64_t{1} << 30;  // of the answer
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of several the last
  std::string body;
};

// One connection, kept from one request to the next; for one thread at a time.
class HttpClient {
 public:
  struct Options {
    absl::Duration connect_timeout = absl::Seconds(5);
    // A transfer slower than a kilobyte a second for this long has failed.
    absl::Duration stall_timeout = absl::Seconds(20);
    // Longest time of one attempt, the connection included.
    absl::Duration attempt_timeout = absl::InfiniteDuration();
    // Attempts at GET and HEAD in all, after failed connections and answers of 5xx; 0.2 s, 0.4 s ... apart.
    int attempts = 3;
    std::string ca_file;  // PEM; empty: the system's authorities
  };
  explicit HttpClient(Options options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // An answer of any status is a result. Errors: UNAVAILABLE (no connection, broken or stalled transfer),
  // RESOURCE_EXHAUSTED (a larger body than allowed), INVALID_ARGUMENT (a URL that is none); each names the URL.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request);

 private:
  class Transfer;
  absl::StatusOr<HttpResponse> SendOnce(const HttpRequest& request);

  const Options options_;
  void* const curl_;  // CURL*, as the library names it
};

}  // namespace ddsp
