// Fuzz target: RESTORE of any bytes under a right version and checksum. What is accepted is
// well-formed, and its own DUMP is accepted again as the same value.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "persist/crc64.h"
#include "rdb_values.h"

using namespace rp;

static std::string sealed(const uint8_t* body, size_t size) {
    std::string text(reinterpret_cast<const char*>(body), size);
    text += std::string("\x0a\0", 2);
    uint64_t crc = crc64(0, {text.data(), text.size()});
    for (int i = 0; i < 8; i++)
        text += static_cast<char>(crc >> (8 * i));
    return text;
}

static void payload_again(const RdbKey* k, const RdbLimits* limits) {
    Out out;
    rdb_payload(&out, k->type, k->text, &k->value, true);
    std::string bytes(out.bytes, '\0');
    out_copy(&out, bytes.data());
    out_clear(&out);
    RdbKey again;
    fuzz::expect(rdb_read_payload({bytes.data(), bytes.size()}, limits, &again) == Payload::ok);
    fuzz::expect_same(k, &again);
    fuzz::release(&again);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string text = sealed(data, size);
    for (const RdbLimits& limits : {fuzz::kWide, fuzz::kNarrow}) {
        RdbKey k;
        if (rdb_read_payload({text.data(), text.size()}, &limits, &k) != Payload::ok) continue;
        fuzz::check(&k);
        payload_again(&k, &limits);
        fuzz::release(&k);
    }
    return 0;
}
