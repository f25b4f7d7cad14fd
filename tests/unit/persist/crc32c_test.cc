#include "persist/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace rp {
namespace {

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

TEST(Crc32c, GivesThePublishedValues) {
    EXPECT_EQ(0u, crc32c(0, {}));
    EXPECT_EQ(0xe3069283u, crc32c(0, Bytes("123456789")));
    // RFC 3720, B.4: 32 bytes of zeros, of ones, ascending.
    EXPECT_EQ(0x8a9136aau, crc32c(0, bytes(std::string(32, '\0'))));
    EXPECT_EQ(0x62a8ab43u, crc32c(0, bytes(std::string(32, '\xff'))));
    std::string ascending;
    for (int i = 0; i < 32; i++)
        ascending += static_cast<char>(i);
    EXPECT_EQ(0x46dd794eu, crc32c(0, bytes(ascending)));
}

TEST(Crc32c, InstructionAndTablesAgreeAtEveryLengthAndPlace) {
    std::string text;
    for (int i = 0; i < 300; i++)
        text += static_cast<char>(i * 37 + (i >> 3));
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= text.size(); len++) {
            const Bytes part = {text.data() + from, len};
            ASSERT_EQ(crc32c_portable(0x1234567, part), crc32c(0x1234567, part)) << from << len;
        }
    }
}

TEST(Crc32c, PartsOneAfterAnotherGiveTheSameAsAll) {
    const std::string text(1000, 'x');
    const uint32_t all = crc32c(0, bytes(text));
    for (size_t cut = 0; cut <= text.size(); cut += 7) {
        const uint32_t first = crc32c(0, {text.data(), cut});
        ASSERT_EQ(all, crc32c(first, {text.data() + cut, text.size() - cut})) << cut;
    }
}

}  // namespace
}  // namespace rp
