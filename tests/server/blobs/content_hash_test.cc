#include "server/blobs/content_hash.h"

#include <gtest/gtest.h>

#include "core/base/sha256.h"

namespace ddsp::server {
namespace {

TEST(ContentHash, PartsHashAsTheWhole) {
  const std::string whole(10'000, 'x');
  for (const size_t cut : {0, 1, 63, 64, 65, 9'999, 10'000}) {
    ContentHash hash;
    hash.Add(std::string_view(whole).substr(0, cut));
    EXPECT_EQ(hash.Digest(), Sha256Hex(std::string_view(whole).substr(0, cut))) << cut;
    hash.Add(std::string_view(whole).substr(cut));
    EXPECT_EQ(hash.Digest(), Sha256Hex(whole)) << cut;
  }
}

TEST(IsDigest, KnowsOneFromAPath) {
  EXPECT_TRUE(IsDigest(Sha256Hex("")));
  for (const std::string& text : {std::string(), std::string(64, 'g'), std::string(64, 'A'), std::string(63, 'a'),
                                  "../" + std::string(61, 'a'), std::string(64, '\0')}) {
    EXPECT_FALSE(IsDigest(text)) << text;
  }
}

}  // namespace
}  // namespace ddsp::server
