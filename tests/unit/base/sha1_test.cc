// The examples of FIPS 180 and RFC 3174.
#include "base/sha1.h"

#include <gtest/gtest.h>

#include <string>

namespace rp {

static std::string sha1_hex(Bytes data) {
    unsigned char digest[kSha1Len];
    sha1(data, digest);
    std::string out;
    for (unsigned char byte : digest) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

TEST(Sha1, GivesThePublishedDigests) {
    EXPECT_EQ("da39a3ee5e6b4b0d3255bfef95601890afd80709", sha1_hex(""));
    EXPECT_EQ("da39a3ee5e6b4b0d3255bfef95601890afd80709", sha1_hex(Bytes()));
    EXPECT_EQ("a9993e364706816aba3e25717850c26c9cd0d89d", sha1_hex("abc"));
    EXPECT_EQ("84983e441c3bd26ebaae4aa1f95129e5e54670f1",
              sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    std::string million(1000000, 'a');
    EXPECT_EQ("34aa973cd4c4daa4f61eeb2bdbad27316534016f",
              sha1_hex({million.data(), million.size()}));
}

}  // namespace rp
