#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct evp_md_ctx_st;

namespace ddsp::server {

// The SHA-256 of bytes that come in parts.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  void Add(std::string_view bytes);
  // 64 lower-case hexadecimal digits, of everything added so far; more can be added.
  std::string Digest() const;

 private:
  evp_md_ctx_st* const context_;
};

// Whether it looks like a digest: 64 lower-case hexadecimal digits.
bool IsDigest(std::string_view text);

}  // namespace ddsp::server
