// Values of every type code that RDB versions 1 to 11 have for strings, lists, sets, hashes and
// sorted sets. They are built element by element through types/, so whatever form they had in the
// file, and whatever its bytes claim, they are well-formed here.
#include <cmath>

#include "persist/rdb_legacy.h"
#include "persist/rdb_reader.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

namespace rp {

constexpr uint64_t kElementsMax = uint64_t{1} << 31;  // types/dict.h
// Text scores: one byte of length, or one of these.
constexpr uint8_t kScoreNan = 253, kScoreInf = 254, kScoreMinusInf = 255;
// Nodes of LIST_QUICKLIST_2: an element as it is, or a listpack of them.
constexpr uint64_t kNodePlain = 1, kNodePacked = 2;

static bool twice(RdbReader* r, const char* what) {
    return rdb_fail(r, RdbFault::bad, "%s is there twice", what);
}

// ---- adding one element -----------------------------------------------------------------------

static bool add_element(RdbReader* r, Value* v, Bytes element) {
    list_push(v, false, element, list_limits(r->limits->list_size));
    return true;
}

static bool add_member(RdbReader* r, Value* v, Bytes member) {
    return set_add(v, member, r->limits->set_intset) || twice(r, "a member");
}

static bool add_field(RdbReader* r, Value* v, Bytes field, Bytes value) {
    HashLimits limits = {r->limits->hash_entries, r->limits->hash_value};
    return hash_load(v, field, value, limits) || twice(r, "a field");
}

// A sorted set in the making is a listpack of members and scores as they come, then a Dict of them;
// scored_end makes it one. (Growing member by member it would be searched for each, and not keep
// the sign of -0.)
constexpr size_t kRunMax = 64 * 1024;

static bool run_has_room(const RdbReader* r, const Value* v, Bytes member) {
    return member.len <= r->limits->zset_value && v->flat.len <= kRunMax &&
           lp_count(buf_bytes(&v->flat)) / 2 < r->limits->zset_entries;
}

static bool add_scored(RdbReader* r, Value* v, Bytes member, double score) {
    if (std::isnan(score)) return rdb_fail(r, RdbFault::bad, "a score is not a number");
    if (v->form == Form::listpack) {
        if (run_has_room(r, v, member)) {
            lp_append(&v->flat, member);
            lp_append(&v->flat, {reinterpret_cast<const char*>(&score), sizeof score});
            return true;
        }
        Dict* d = zset_dict_from_run(&v->flat);
        if (d == nullptr) return twice(r, "a member");
        v->form = Form::dict;
        v->dict = d;
    }
    Item* item;
    return dict_add_score(v->dict, member, score, &item) || twice(r, "a member");
}

static bool scored_end(RdbReader* r, Value* v) {
    ZsetLimits limits = {r->limits->zset_entries, r->limits->zset_value};
    if (v->form == Form::dict) {
        *v = zset_from_dict(v->dict, limits);
        return true;
    }
    Buf run = v->flat;
    return zset_from_run(&run, limits, v) || twice(r, "a member");
}

static bool add_scored_text(RdbReader* r, Value* v, Bytes member, Bytes score) {
    double number;
    int64_t whole;  // most are
    if (parse_i64(score, &whole)) return add_scored(r, v, member, static_cast<double>(whole));
    if (!parse_double(score, &number)) {
        return rdb_fail(r, RdbFault::bad, "a score is not a number");
    }
    return add_scored(r, v, member, number);
}

// ---- one element after the other --------------------------------------------------------------

// How many follow; each takes at least `bytes_min` bytes.
static bool read_count(RdbReader* r, uint64_t bytes_min, uint64_t* count) {
    if (!rdb_length(r, count)) return false;
    if (*count > kElementsMax) return rdb_fail(r, RdbFault::bad, "more than 2^31 elements");
    if (*count * bytes_min <= rdb_left(r)) return true;
    return rdb_fail(r, RdbFault::truncated, "it ends too early");
}

static bool read_list(RdbReader* r, Value* v) {
    uint64_t count;
    if (!read_count(r, 1, &count)) return false;
    for (; count != 0; count--) {
        if (!rdb_text(r, &r->first) || !add_element(r, v, blob_bytes(r->first))) return false;
    }
    return true;
}

static bool read_set(RdbReader* r, Value* v) {
    uint64_t count;
    if (!read_count(r, 1, &count)) return false;
    for (; count != 0; count--) {
        if (!rdb_text(r, &r->first) || !add_member(r, v, blob_bytes(r->first))) return false;
    }
    return true;
}

static bool read_hash(RdbReader* r, Value* v) {
    uint64_t count;
    if (!read_count(r, 2, &count)) return false;
    for (; count != 0; count--) {
        if (!rdb_text(r, &r->first) || !rdb_text(r, &r->second)) return false;
        if (!add_field(r, v, blob_bytes(r->first), blob_bytes(r->second))) return false;
    }
    return true;
}

static bool read_text_score(RdbReader* r, double* out) {
    uint8_t len;
    char text[256];
    if (!rdb_byte(r, &len)) return false;
    switch (len) {
        case kScoreNan: *out = NAN; return true;
        case kScoreInf: *out = INFINITY; return true;
        case kScoreMinusInf: *out = -INFINITY; return true;
        default: break;
    }
    if (!rdb_take(r, text, len)) return false;
    return parse_double({text, len}, out) || rdb_fail(r, RdbFault::bad, "a score is not a number");
}

static bool read_binary_score(RdbReader* r, double* out) {
    uint64_t bits;
    if (!rdb_fixed(r, 8, &bits)) return false;
    memcpy(out, &bits, sizeof bits);
    return true;
}

static bool read_zset(RdbReader* r, Value* v, bool binary) {
    uint64_t count;
    if (!read_count(r, 2, &count)) return false;
    for (; count != 0; count--) {
        double score;
        if (!rdb_text(r, &r->first)) return false;
        if (!(binary ? read_binary_score(r, &score) : read_text_score(r, &score))) return false;
        if (!add_scored(r, v, blob_bytes(r->first), score)) return false;
    }
    return true;
}

// ---- packed runs ------------------------------------------------------------------------------

static bool damaged(RdbReader* r, Packed kind) {
    const char* name = kind == Packed::ziplist    ? "ziplist"
                       : kind == Packed::listpack ? "listpack"
                       : kind == Packed::zipmap   ? "zipmap"
                                                  : "intset";
    return rdb_fail(r, RdbFault::bad, "a damaged %s", name);
}

using AddOne = bool (*)(RdbReader* r, Value* v, Bytes element);
using AddTwo = bool (*)(RdbReader* r, Value* v, Bytes first, Bytes second);

static bool each_one(RdbReader* r, Value* v, Packed kind, Bytes bytes, AddOne add) {
    PackedRun run;
    if (!packed_open(&run, kind, bytes)) return damaged(r, kind);
    for (;;) {
        Bytes element;
        char digits[kI64TextMax];
        switch (packed_next(&run, &element, digits)) {
            case PackedStep::end: return true;
            case PackedStep::bad: return damaged(r, kind);
            case PackedStep::element: break;
        }
        if (!add(r, v, element)) return false;
    }
}

static bool each_two(RdbReader* r, Value* v, Packed kind, Bytes bytes, AddTwo add) {
    PackedRun run;
    if (!packed_open(&run, kind, bytes)) return damaged(r, kind);
    for (;;) {
        Bytes one, two;
        char one_digits[kI64TextMax], two_digits[kI64TextMax];
        switch (packed_next(&run, &one, one_digits)) {
            case PackedStep::end: return true;
            case PackedStep::bad: return damaged(r, kind);
            case PackedStep::element: break;
        }
        if (packed_next(&run, &two, two_digits) != PackedStep::element) return damaged(r, kind);
        if (!add(r, v, one, two)) return false;
    }
}

static bool read_ones(RdbReader* r, Value* v, Packed kind, AddOne add) {
    return rdb_text(r, &r->first) && each_one(r, v, kind, blob_bytes(r->first), add);
}

static bool read_twos(RdbReader* r, Value* v, Packed kind, AddTwo add) {
    return rdb_text(r, &r->first) && each_two(r, v, kind, blob_bytes(r->first), add);
}

static bool read_quicklist(RdbReader* r, Value* v) {
    uint64_t nodes;
    if (!read_count(r, 1, &nodes)) return false;
    for (; nodes != 0; nodes--) {
        if (!read_ones(r, v, Packed::ziplist, add_element)) return false;
    }
    return true;
}

static bool read_quicklist2(RdbReader* r, Value* v) {
    uint64_t nodes, kind;
    if (!read_count(r, 2, &nodes)) return false;
    for (; nodes != 0; nodes--) {
        if (!rdb_length(r, &kind) || !rdb_text(r, &r->first)) return false;
        Bytes node = blob_bytes(r->first);
        if (kind != kNodePlain && kind != kNodePacked) {
            return rdb_fail(r, RdbFault::bad, "a list has a node of no known kind");
        }
        if (kind == kNodePlain ? !add_element(r, v, node)
                               : !each_one(r, v, Packed::listpack, node, add_element)) {
            return false;
        }
    }
    return true;
}

// ---- by type code -----------------------------------------------------------------------------

// Type::stream for what is no collection of ours.
static Type type_of(uint8_t code) {
    switch (code) {
        case kRdbList:
        case kRdbListZiplist:
        case kRdbListQuicklist:
        case kRdbListQuicklist2: return Type::list;
        case kRdbSet:
        case kRdbSetIntset:
        case kRdbSetListpack: return Type::set;
        case kRdbZset:
        case kRdbZset2:
        case kRdbZsetZiplist:
        case kRdbZsetListpack: return Type::zset;
        case kRdbHash:
        case kRdbHashZipmap:
        case kRdbHashZiplist:
        case kRdbHashListpack: return Type::hash;
        case kRdbString: return Type::string;
        default: return Type::stream;
    }
}

static bool refuse(RdbReader* r, uint8_t code) {
    switch (code) {
        case kRdbStream:
        case kRdbStream2:
        case kRdbStream3: return rdb_fail(r, RdbFault::unsupported, "a stream");
        case kRdbModulePreGa: return rdb_fail(r, RdbFault::unsupported, "a module's value");
        case kRdbModule2: break;
        default: return rdb_fail(r, RdbFault::bad, "%u is no known type of value", code);
    }
    uint64_t id;
    char name[kModuleNameLen + 1];
    if (!rdb_length(r, &id)) return false;
    rdb_module_name(id, name);
    return rdb_fail(r, RdbFault::unsupported, "a value of the module type '%s'", name);
}

static bool read_scored(RdbReader* r, uint8_t code, Value* v) {
    bool good = code == kRdbZset          ? read_zset(r, v, false)
                : code == kRdbZset2       ? read_zset(r, v, true)
                : code == kRdbZsetZiplist ? read_twos(r, v, Packed::ziplist, add_scored_text)
                                          : read_twos(r, v, Packed::listpack, add_scored_text);
    return good && scored_end(r, v);
}

static bool read_fields(RdbReader* r, uint8_t code, Value* v) {
    bool good = code == kRdbHash          ? read_hash(r, v)
                : code == kRdbHashZipmap  ? read_twos(r, v, Packed::zipmap, add_field)
                : code == kRdbHashZiplist ? read_twos(r, v, Packed::ziplist, add_field)
                                          : read_twos(r, v, Packed::listpack, add_field);
    return good && (hash_load_end(v) || twice(r, "a field"));
}

static bool read_collection(RdbReader* r, uint8_t code, Value* v) {
    switch (code) {
        case kRdbList: return read_list(r, v);
        case kRdbSet: return read_set(r, v);
        case kRdbHash:
        case kRdbHashZipmap:
        case kRdbHashZiplist:
        case kRdbHashListpack: return read_fields(r, code, v);
        case kRdbZset:
        case kRdbZset2:
        case kRdbZsetZiplist:
        case kRdbZsetListpack: return read_scored(r, code, v);
        case kRdbListZiplist: return read_ones(r, v, Packed::ziplist, add_element);
        case kRdbListQuicklist: return read_quicklist(r, v);
        case kRdbListQuicklist2: return read_quicklist2(r, v);
        case kRdbSetIntset: return read_ones(r, v, Packed::intset, add_member);
        case kRdbSetListpack: return read_ones(r, v, Packed::listpack, add_member);
        default: return refuse(r, code);
    }
}

// A long string may be taken as it is: it must not have more room than it needs.
static bool read_string(RdbReader* r, RdbKey* out) {
    if (!rdb_text(r, &r->first)) return false;
    size_t len = r->first->len;
    if (len >= kBlobMin && r->first->cap != len) {
        Blob* exact = blob_try_resize(r->first, len);
        if (exact == nullptr)
            return rdb_fail(r, RdbFault::no_memory, "no memory for %zu bytes", len);
        r->first = exact;
    }
    out->text = blob_bytes(r->first);
    return true;
}

bool rdb_read_value(RdbReader* r, uint8_t code, RdbKey* out, bool* empty) {
    out->type = type_of(code);
    out->string = nullptr;
    out->text = {};
    out->value = {};
    *empty = false;
    if (code == kRdbString) return read_string(r, out);
    if (!read_collection(r, code, &out->value)) {
        value_free(&out->value);
        return false;
    }
    *empty = value_elements(&out->value) == 0;
    return true;
}

}  // namespace rp
