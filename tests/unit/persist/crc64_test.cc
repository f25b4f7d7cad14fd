#include "persist/crc64.h"

#include <gtest/gtest.h>

#include <string>

namespace rp {

// One bit at a time, from the definition.
static uint64_t slowly(const std::string& text) {
    uint64_t crc = 0;
    for (char c : text) {
        crc ^= static_cast<uint8_t>(c);
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x95ac9329ac4bc9b5 : 0);
    }
    return crc;
}

TEST(Crc64, KnownText) {
    EXPECT_EQ(0xe9c6d914c4b8d9cau, crc64(0, "123456789"));
    EXPECT_EQ(0u, crc64(0, {}));
}

TEST(Crc64, EveryLengthIsAsByDefinition) {
    std::string text;
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(slowly(text), crc64(0, {text.data(), text.size()})) << text.size();
        text += static_cast<char>(i * 37 + 1);
    }
}

TEST(Crc64, GoesOnFromAnyPlace) {
    const std::string text = "a text that is longer than two words of eight bytes";
    for (size_t i = 0; i <= text.size(); i++) {
        uint64_t half = crc64(0, {text.data(), i});
        EXPECT_EQ(slowly(text), crc64(half, {text.data() + i, text.size() - i})) << i;
    }
}

}  // namespace rp
