#include "persist/crc64.h"

#include <array>

namespace rp {

constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;  // ad93d23594c935a9, its bits reversed
constexpr size_t kSlices = 8;

using Tables = std::array<std::array<uint64_t, 256>, kSlices>;

// tables[0][b] is what the byte b leaves behind; tables[n][b] the same, n zero bytes later.
static constexpr Tables make_tables() {
    Tables t{};
    for (uint64_t b = 0; b < 256; b++) {
        uint64_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        t[0][b] = crc;
    }
    for (size_t n = 1; n < kSlices; n++) {
        for (size_t b = 0; b < 256; b++) {
            uint64_t before = t[n - 1][b];
            t[n][b] = t[0][before & 255] ^ (before >> 8);
        }
    }
    return t;
}

static constexpr Tables kTables = make_tables();

static uint64_t load_little_endian(const char* p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

// Eight look-ups that do not wait for each other, instead of eight that do.
static uint64_t eight_bytes(uint64_t crc, const char* p) {
    uint64_t x = crc ^ load_little_endian(p);
    return kTables[7][x & 255] ^ kTables[6][(x >> 8) & 255] ^ kTables[5][(x >> 16) & 255] ^
           kTables[4][(x >> 24) & 255] ^ kTables[3][(x >> 32) & 255] ^ kTables[2][(x >> 40) & 255] ^
           kTables[1][(x >> 48) & 255] ^ kTables[0][x >> 56];
}

uint64_t crc64(uint64_t crc, Bytes bytes) {
    const char* p = bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, p += 8)
        crc = eight_bytes(crc, p);
    for (; left != 0; left--, p++)
        crc = kTables[0][(crc ^ static_cast<uint8_t>(*p)) & 255] ^ (crc >> 8);
    return crc;
}

}  // namespace rp
