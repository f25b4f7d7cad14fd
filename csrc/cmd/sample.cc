#include "cmd/sample.h"

#include "base/assert.h"
#include "base/numbers.h"
#include "base/random.h"
#include "mem/mem.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "types/pick.h"
#include "types/zset.h"

namespace rp {

// ---- arguments --------------------------------------------------------------------------------

bool arg_sample_count(CmdCtx* c, Bytes arg, int64_t* out) {
    if (!arg_i64(c, arg, out)) return false;
    if (*out != INT64_MIN) return true;
    reply_errorf(c->out, "ERR value is out of range, value must between -%lld and %lld",
                 static_cast<long long>(INT64_MAX), static_cast<long long>(INT64_MAX));
    return false;
}

static bool refuse_range(Reply* out) {
    reply_error(out, "ERR value is out of range");
    return false;
}

bool arg_sample(CmdCtx* c, Args argv, Bytes word, SampleArgs* out) {
    *out = {};
    if (argv.len == 2) return true;
    out->has_count = true;
    if (!arg_sample_count(c, argv[2], &out->count)) return false;
    if (argv.len == 3) return true;
    if (argv.len > 4 || !arg_is(argv[3], word)) {
        reply_err(c->out, Err::syntax);
        return false;
    }
    out->beside = true;
    if (out->count < -(INT64_MAX / 2) || out->count > INT64_MAX / 2) return refuse_range(c->out);
    return true;
}

// ---- elements by number -----------------------------------------------------------------------

// A view of a value in which any element is one look.
struct Numbered {
    const Value* v;
    Type type;
    size_t count;
    size_t* offsets;  // of a listpack; null otherwise
    char digits[kI64TextMax];
};

static const Dict* dict_of(const Value* v) {
    return v->form == Form::dict ? v->dict : v->form == Form::zset ? v->zset->dict : nullptr;
}

static size_t stride(Type type) { return type == Type::hash || type == Type::zset ? 2 : 1; }

static size_t count_of(const Value* v, Type type) {
    return v->form == Form::listpack ? value_elements(v) / stride(type) : value_elements(v);
}

static void numbered_init(Numbered* n, const Value* v, Type type) {
    *n = {v, type, count_of(v, type), nullptr, {}};
    if (v->form != Form::listpack || n->count == 0) return;
    n->offsets = static_cast<size_t*>(mem_alloc(n->count * sizeof(size_t)));
    Bytes lp = buf_bytes(&v->flat);
    size_t at = lp_first(lp);
    for (size_t i = 0; i < n->count; i++) {
        n->offsets[i] = at;
        for (size_t step = stride(type); step > 0 && at != kLpEnd; step--)
            at = lp_next(lp, at);
    }
}

static void numbered_deinit(Numbered* n) { mem_free(n->offsets, n->count * sizeof(size_t)); }

// Bytes are good until the next call.
static Element numbered_get(Numbered* n, size_t i) {
    RP_DCHECK(i < n->count);
    if (const Dict* d = dict_of(n->v)) return element_of_item(dict_at(d, i), n->type);
    Bytes flat = buf_bytes(&n->v->flat);
    if (n->offsets != nullptr) return element_of_listpack(flat, n->offsets[i], n->type);
    Element e;
    e.key = {n->digits, format_i64(n->digits, intset_at(flat, i))};
    return e;
}

// ---- replies ----------------------------------------------------------------------------------

struct Sample {
    Numbered from;
    ScanBeside beside;  // null: names only
    Reply* out;
};

static void reply_element(Sample* s, size_t number) {
    Element e = numbered_get(&s->from, number);
    if (s->beside != nullptr && s->out->resp == 3) reply_array(s->out, 2);
    reply_bulk(s->out, e.key);
    if (s->beside != nullptr) s->beside(s->out, &e);
}

static void reply_head(Sample* s, size_t elements) {
    bool flat_pairs = s->beside != nullptr && s->out->resp == 2;
    reply_array(s->out, flat_pairs ? 2 * elements : elements);
}

static void reply_picks(Sample* s, uint64_t picks) {
    constexpr size_t kShortest = sizeof("$0\r\n\r\n") - 1;
    if (picks > kSampleReplyMax / kShortest) {
        refuse_range(s->out);
        return;
    }
    OutMark start = out_mark(s->out->out);
    reply_head(s, picks);
    for (uint64_t i = 0; i < picks; i++) {
        reply_element(s, random_below(s->from.count));
        if (s->out->out->bytes - start.bytes <= kSampleReplyMax) continue;
        out_rewind(s->out->out, start);
        refuse_range(s->out);
        return;
    }
}

static void visit_position(size_t position, void* arg) {
    reply_element(static_cast<Sample*>(arg), position);
}

static void reply_different(Sample* s, uint64_t wanted) {
    if (wanted > s->from.count) wanted = s->from.count;
    reply_head(s, wanted);
    pick_distinct(wanted, s->from.count, visit_position, s);
}

// One is found without numbering them all.
static void reply_one(const Value* v, Type type, Reply* out) {
    if (v->form != Form::listpack) {
        Numbered n = {v, type, count_of(v, type), nullptr, {}};
        return reply_bulk(out, numbered_get(&n, random_below(n.count)).key);
    }
    Bytes lp = buf_bytes(&v->flat);
    auto number = static_cast<int64_t>(random_below(count_of(v, type)) * stride(type));
    reply_bulk(out, lp_get(lp, lp_seek(lp, number)));
}

void sample_collection(CmdCtx* c, Bytes key, Type type, const SampleArgs* args, ScanBeside beside) {
    Value v;
    bool failed;
    bool found = read_value(c, key, type, &v, &failed) != nullptr;
    if (failed) return;
    if (!args->has_count) return found ? reply_one(&v, type, c->out) : reply_null(c->out);
    if (!found || args->count == 0) return reply_array(c->out, 0);
    Sample s = {{}, args->beside ? beside : nullptr, c->out};
    numbered_init(&s.from, &v, type);
    if (args->count < 0) {
        reply_picks(&s, 0 - static_cast<uint64_t>(args->count));
    } else {
        reply_different(&s, static_cast<uint64_t>(args->count));
    }
    numbered_deinit(&s.from);
}

}  // namespace rp
