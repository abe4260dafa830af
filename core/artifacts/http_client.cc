#include "core/artifacts/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "core/base/check.h"

namespace ddsp {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr long kStalledBytesPerSecond = 1024;  // NOLINT: libcurl's type

void StartLibrary() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  DDSP_CHECK(started == CURLE_OK, "libcurl starts");
}

bool MayRepeat(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

bool WorthRepeating(const absl::StatusOr<HttpResponse>& response) {
  return response.ok() ? response->status >= 500 : absl::IsUnavailable(response.status());
}

}  // namespace

// One request on its way: what libcurl calls back for, and the options that it keeps pointers into.
class HttpClient::Transfer {
 public:
  Transfer(CURL* curl, const Options& options, const HttpRequest& request) : curl_(curl), request_(request) {
    curl_easy_reset(curl_);
    Set(CURLOPT_URL, request.url.c_str());
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_ERRORBUFFER, error_);
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options.connect_timeout)));  // NOLINT
    Set(CURLOPT_LOW_SPEED_LIMIT, kStalledBytesPerSecond);
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(absl::ToInt64Seconds(options.stall_timeout)));  // NOLINT
    if (options.attempt_timeout < absl::InfiniteDuration()) {
      Set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options.attempt_timeout)));  // NOLINT
    }
    if (!options.ca_file.empty()) Set(CURLOPT_CAINFO, options.ca_file.c_str());
    Set(CURLOPT_WRITEFUNCTION, &Transfer::TakeBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Transfer::TakeHeader);
    Set(CURLOPT_HEADERDATA, this);
    SetMethod();
    for (const auto& [name, value] : request.headers) AddHeader(name, value);
    Set(CURLOPT_HTTPHEADER, headers_);
  }
  ~Transfer() {
    curl_slist_free_all(headers_);
    curl_easy_reset(curl_);
  }

  absl::StatusOr<HttpResponse> Run() {
    const CURLcode code = curl_easy_perform(curl_);
    if (too_large_) {
      return absl::ResourceExhaustedError(
          absl::StrCat(request_.url, ": the answer is larger than ", request_.max_body_bytes, " bytes"));
    }
    if (code != CURLE_OK) {
      const std::string reason = error_[0] != 0 ? error_ : curl_easy_strerror(code);
      const bool no_url = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
      return absl::Status(no_url ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kUnavailable,
                          absl::StrCat(request_.url, ": ", reason));
    }
    long status = 0;  // NOLINT: libcurl's type
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    DDSP_CHECK(curl_easy_setopt(curl_, option, value) == CURLE_OK, "libcurl knows its options");
  }

  void SetMethod() {
    if (request_.method == "GET") return;
    if (request_.method == "HEAD") {
      Set(CURLOPT_NOBODY, 1L);
      return;
    }
    Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    if (request_.method != "PUT") return;
    Set(CURLOPT_POSTFIELDS, request_.body.data());
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    AddHeader("Content-Type", "application/octet-stream");
    // No round trip to ask whether a body is welcome.
    headers_ = curl_slist_append(headers_, "Expect:");
  }

  void AddHeader(const std::string& name, const std::string& value) {
    headers_ = curl_slist_append(headers_, absl::StrCat(name, ": ", value).c_str());
  }

  static size_t TakeBody(char* data, size_t, size_t size, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    std::string& body = transfer->response_.body;
    if (body.size() + size > static_cast<size_t>(transfer->request_.max_body_bytes)) {
      transfer->too_large_ = true;
      return 0;
    }
    body.append(data, size);
    return size;
  }

  static size_t TakeHeader(char* data, size_t, size_t size, void* self) {
    const absl::string_view line(data, size);
    const size_t colon = line.find(':');
    if (colon != absl::string_view::npos) {
      auto* transfer = static_cast<Transfer*>(self);
      transfer->response_.headers[absl::AsciiStrToLower(line.substr(0, colon))] =
          std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    }
    return size;
  }

  CURL* const curl_;
  const HttpRequest& request_;
  curl_slist* headers_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  bool too_large_ = false;
  HttpResponse response_;
};

HttpClient::HttpClient(Options options)
    : options_(std::move(options)), curl_((StartLibrary(), static_cast<void*>(curl_easy_init()))) {
  DDSP_CHECK(curl_ != nullptr, "libcurl has memory for a handle");
}

HttpClient::~HttpClient() { curl_easy_cleanup(static_cast<CURL*>(curl_)); }

absl::StatusOr<HttpResponse> HttpClient::SendOnce(const HttpRequest& request) {
  return Transfer(static_cast<CURL*>(curl_), options_, request).Run();
}

absl::StatusOr<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  absl::StatusOr<HttpResponse> response = SendOnce(request);
  absl::Duration pause = kFirstPause;
  for (int attempt = 1; attempt < options_.attempts; ++attempt) {
    if (!MayRepeat(request) || !WorthRepeating(response)) break;
    absl::SleepFor(pause);
    pause *= 2;
    response = SendOnce(request);
  }
  return response;
}

}  // namespace ddsp
