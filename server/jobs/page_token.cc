#include "server/jobs/page_token.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/crc32c.h"
#include "core/base/utf8.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"

namespace ddsp::server {

std::string MakePageToken(const PagePosition& position, const JobFilter& filter) {
  return absl::WebSafeBase64Escape(absl::StrCat(position.create_us, "/", position.id, "/", Crc32c(ToString(filter))));
}

absl::StatusOr<PagePosition> ReadPageToken(const std::string& token, const JobFilter& filter) {
  if (token.empty()) return PagePosition{};
  std::string text;
  PagePosition position;
  const bool escaped = absl::WebSafeBase64Unescape(token, &text);
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (!escaped || parts.size() != 3 || !absl::SimpleAtoi(parts[0], &position.create_us) ||
      FirstNoText(parts[1]).has_value()) {
    const std::string problem = absl::StrCat("'", Echo(token), "' is no token of a page");
    return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat("page_token: ", problem), {{"page_token", problem}});
  }
  if (parts[2] != absl::StrCat(Crc32c(ToString(filter)))) {
    const std::string problem = "is of a list with another filter";
    return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat("page_token ", problem), {{"page_token", problem}});
  }
  position.id = parts[1];
  return position;
}

}  // namespace ddsp::server
