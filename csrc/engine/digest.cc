#include "engine/digest.h"

namespace rp {

// Order does not matter ...
static void digest_xor(Digest* d, Bytes data) {
    unsigned char sum[kSha1Len];
    sha1(data, sum);
    for (size_t i = 0; i < kSha1Len; i++)
        d->sum[i] ^= sum[i];
}

// ... and here it does.
static void digest_mix(Digest* d, Bytes data) {
    digest_xor(d, data);
    unsigned char sum[kSha1Len];
    sha1({reinterpret_cast<const char*>(d->sum), kSha1Len}, sum);
    memcpy(d->sum, sum, kSha1Len);
}

static void digest_mix_u32(Digest* d, uint32_t n) {
    char big_endian[4];
    for (int i = 0; i < 4; i++)
        big_endian[i] = static_cast<char>(n >> (24 - 8 * i));
    digest_mix(d, {big_endian, sizeof big_endian});
}

void digest_mix_value(CmdCtx* c, const Entry* e, Digest* d) {
    StringView v;
    digest_mix_u32(d, static_cast<uint32_t>(entry_type(e)));
    db_value(&c->a, e, &v);
    digest_mix(d, v.bytes);
    if (entry_expiry_ms(e) != kNoExpiry) digest_xor(d, "!!expire!!");
}

struct DigestWalk {
    CmdCtx* c;
    Digest* total;
};

static void digest_visit(Entry* e, void* arg) {
    auto* w = static_cast<DigestWalk*>(arg);
    Digest one;
    digest_mix(&one, entry_key(e));
    digest_mix_value(w->c, e, &one);
    digest_xor(w->total, {reinterpret_cast<const char*>(one.sum), kSha1Len});
}

void digest_store(CmdCtx* c, Digest* out) {
    DigestWalk walk = {c, out};
    for (uint32_t db = 0; db < c->store->db_count; db++) {
        const Table* t = c->store->dbs[db].table;
        if (table_keys(t) == 0) continue;
        digest_mix_u32(out, db);
        uint64_t cursor = 0;
        do {
            cursor = table_scan(t, cursor, digest_visit, &walk);
        } while (cursor != 0);
    }
}

void digest_hex(const Digest* d, char out[kDigestHexLen]) {
    static const char kHex[] = "0123456789abcdef";
    for (size_t i = 0; i < kSha1Len; i++) {
        out[2 * i] = kHex[d->sum[i] >> 4];
        out[2 * i + 1] = kHex[d->sum[i] & 15];
    }
}

}  // namespace rp
