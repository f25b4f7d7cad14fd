#include "cmd/effect.h"

#include "store/journal.h"

namespace rp {

// A number as a word of a command.
struct NumberWord {
    char text[kI64TextMax];
    size_t len;
};
static Bytes number_word(NumberWord* w, int64_t n) {
    w->len = format_i64(w->text, n);
    return {w->text, w->len};
}

static void say(CmdCtx* c, const Bytes* words, size_t n, Blob* big, size_t big_index) {
    c->effect_said = true;
    record_add(&c->a, words, n, big, big_index);
}

void effect_say(CmdCtx* c, const Bytes* words, size_t n) { say(c, words, n, nullptr, 0); }

void effect_delete(CmdCtx* c, Bytes key) { effect(c, {"DEL", key}); }

void effect_expire_at(CmdCtx* c, Bytes key, int64_t at_ms) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    NumberWord at;
    if (at_ms == kNoExpiry) return effect(c, {"PERSIST", key});
    effect(c, {"PEXPIREAT", key, number_word(&at, at_ms)});
}

void effect_set(CmdCtx* c, Bytes key, Args argv, size_t value, int64_t at_ms) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    NumberWord at;
    const Bytes words[] = {"SET", key, argv[value], "PXAT", number_word(&at, at_ms)};
    say(c, words, at_ms == kNoExpiry ? 3 : 5, arg_blob(c, value), 2);
}

constexpr size_t kRestoreRestMax = 4;  // IDLETIME n FREQ n

void effect_restore(CmdCtx* c, Bytes key, Args argv, size_t payload, int64_t at_ms, Args rest) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    RP_ASSERT(rest.len <= kRestoreRestMax);
    NumberWord at;
    Bytes words[6 + kRestoreRestMax] = {
        "RESTORE",     key,       number_word(&at, at_ms == kNoExpiry ? 0 : at_ms),
        argv[payload], "REPLACE", "ABSTTL"};
    for (size_t i = 0; i < rest.len; i++)
        words[6 + i] = rest[i];
    say(c, words, 6 + rest.len, arg_blob(c, payload), 3);
}

void effect_pop(CmdCtx* c, Bytes name, Bytes key, size_t n) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    NumberWord count;
    effect(c, {name, key, number_word(&count, static_cast<int64_t>(n))});
}

void effect_begin(CmdCtx* c, Bytes name, Bytes key, size_t n) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    c->effect_said = true;
    record_begin(&c->a, 2 + n);
    record_word(&c->a, name);
    record_word(&c->a, key);
}

void effect_word(CmdCtx* c, Bytes word) {
    if (RP_UNLIKELY(c->a.log != nullptr)) record_word(&c->a, word);
}

}  // namespace rp
