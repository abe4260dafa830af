// How a client's visit ended, against how it had to end.
#pragma once

#include <grpcpp/support/status.h>

#include <initializer_list>
#include <string>

#include "absl/status/status.h"

namespace ddsp::soak {

// The server's reason, or where there is none the name of the code: "CREDIT_EXCEEDED", "CANCELLED", "OK".
std::string EndOf(const absl::Status& status);
std::string EndOf(const grpc::Status& status);

// OK when the end is one of those expected; else an error that names both.
absl::Status Expect(const absl::Status& status, std::initializer_list<const char*> expected);
absl::Status Expect(const grpc::Status& status, std::initializer_list<const char*> expected);

// OK when the numbers are the same; else an error that names them and `what` they count.
absl::Status ExpectCount(const char* what, int64_t expected, int64_t got);

}  // namespace ddsp::soak
