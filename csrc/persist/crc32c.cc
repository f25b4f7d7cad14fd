#include "persist/crc32c.h"

#include <cstring>

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#elif defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace rp {

// Bits reversed, as every CRC-32C has it: iSCSI, ext4, SSE 4.2.
constexpr uint32_t kPolynomial = 0x82f63b78;

// t[0][b]: what byte b does to the register; t[k][b]: the same with k zero bytes behind it, so that
// eight bytes are eight independent look-ups.
struct CrcTables {
    uint32_t t[8][256];
};

constexpr CrcTables make_tables() {
    CrcTables tables = {};
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        tables.t[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t before = tables.t[k - 1][byte];
            tables.t[k][byte] = (before >> 8) ^ tables.t[0][before & 0xff];
        }
    }
    return tables;
}

static constexpr CrcTables kTables = make_tables();

static uint32_t step_by_table(uint32_t crc, char byte) {
    return (crc >> 8) ^ kTables.t[0][(crc ^ static_cast<uint8_t>(byte)) & 0xff];
}

uint32_t crc32c_portable(uint32_t crc, Bytes data) {
    const char* p = data.ptr;
    size_t left = data.len;
    crc = ~crc;
    for (; left >= 8; p += 8, left -= 8) {
        uint8_t b[8];
        memcpy(b, p, 8);
        for (int i = 0; i < 4; i++)
            b[i] = static_cast<uint8_t>(b[i] ^ (crc >> (8 * i)));
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= kTables.t[7 - i][b[i]];
    }
    for (; left > 0; p++, left--)
        crc = step_by_table(crc, *p);
    return ~crc;
}

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

uint32_t crc32c(uint32_t crc, Bytes data) {
    const char* p = data.ptr;
    size_t left = data.len;
    crc = ~crc;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
    }
    for (; left > 0; p++, left--)
        crc = __crc32cb(crc, static_cast<uint8_t>(*p));
    return ~crc;
}

#elif defined(__x86_64__)

[[gnu::target("sse4.2")]] static uint32_t by_instruction(uint32_t crc, Bytes data) {
    const char* p = data.ptr;
    size_t left = data.len;
    uint64_t wide = static_cast<uint32_t>(~crc);
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = static_cast<uint32_t>(wide);
    for (; left > 0; p++, left--)
        crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*p));
    return ~crc;
}

uint32_t crc32c(uint32_t crc, Bytes data) {
    static const bool has_it = __builtin_cpu_supports("sse4.2") != 0;
    return has_it ? by_instruction(crc, data) : crc32c_portable(crc, data);
}

#else

uint32_t crc32c(uint32_t crc, Bytes data) { return crc32c_portable(crc, data); }

#endif

}  // namespace rp
