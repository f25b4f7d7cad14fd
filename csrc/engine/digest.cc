#include "engine/digest.h"

#include "base/numbers.h"
#include "types/each.h"

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

struct ElementMix {
    Digest* d;
    Type type;
};

// A list is ordered; of the others each element has a digest of its own, and their order is
// nothing.
static void digest_element(const Element* e, void* arg) {
    auto* mix = static_cast<ElementMix*>(arg);
    if (mix->type == Type::list) return digest_mix(mix->d, e->key);
    if (mix->type == Type::set) return digest_xor(mix->d, e->key);
    Digest one;
    digest_mix(&one, e->key);
    char score[kDoubleTextMax];
    Bytes second = e->value;
    if (mix->type == Type::zset) second = {score, format_double(score, e->score)};
    digest_mix(&one, second);
    digest_xor(mix->d, {reinterpret_cast<const char*>(one.sum), kSha1Len});
}

void digest_mix_value(CmdCtx* c, const Entry* e, Digest* d) {
    digest_mix_u32(d, static_cast<uint32_t>(entry_type(e)));
    if (entry_type(e) == Type::string) {
        StringView v;
        db_value(&c->a, e, &v);
        digest_mix(d, v.bytes);
    } else {
        Value v;
        ElementMix mix = {d, entry_type(e)};
        db_view(&c->a, e, &v);
        value_each(&v, entry_type(e), digest_element, &mix);
    }
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
