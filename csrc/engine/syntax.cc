#include "engine/syntax.h"

#include "base/assert.h"

namespace rp {

static constexpr Bytes kTypeNames[] = {
    "string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block",
};
constexpr size_t kPlainTypes = 6;  // those that are written as name:type

Bytes arg_type_name(ArgType t) { return kTypeNames[static_cast<size_t>(t)]; }

Bytes arg_name(const ArgNode* n, char buf[kArgNameMax]) {
    if (!n->lower_name) return n->name;
    for (size_t i = 0; i < n->name.len; i++)
        buf[i] = ascii_lower(n->name[i]);
    return {buf, n->name.len};
}

// ---- parsing ----------------------------------------------------------------------------------

struct Parser {
    const char* start;
    const char* p;
    Syntax* out;
    int next_key_spec = 0;
    int depth = 0;
};

// Ends a list of items.
enum class End : char { text = 0, oneof = ')', block = '}' };

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool ends_word(char c) { return c == 0 || strchr(" |()[]{}=~@^#", c) != nullptr; }

static bool at_repeat(const char* p) { return strncmp(p, "...", 3) == 0; }
static bool at_token_repeat(const char* p) { return *p == '+' && at_repeat(p + 1); }

static bool take(Parser* p, char c) {
    if (*p->p != c) return false;
    p->p++;
    return true;
}

// A name, a token or a version: up to a character with a meaning of its own.
static Bytes take_word(Parser* p) {
    const char* from = p->p;
    while (!ends_word(*p->p) && !at_repeat(p->p) && !at_token_repeat(p->p))
        p->p++;
    return {from, static_cast<size_t>(p->p - from)};
}

// A token behind '~' may be any characters: ~= and ~~ and ~* exist.
static Bytes take_any_token(Parser* p) {
    const char* from = p->p;
    while (*p->p != 0 && strchr(" |()[]{}@^", *p->p) == nullptr && !at_repeat(p->p))
        p->p++;
    return {from, static_cast<size_t>(p->p - from)};
}

static bool parse_list(Parser* p, End end, int16_t* first, size_t* count);
static bool parse_item(Parser* p, int16_t* out);

static void set_token(ArgNode* n, Bytes token) {
    n->token = token;
    n->has_token = true;
}

// "a|b" of "name=(a|b)", "a b" of "name={a b}".
static bool parse_group(Parser* p, ArgNode* n) {
    int16_t first;
    size_t count;
    bool oneof = take(p, '(');
    if (!oneof && !take(p, '{')) return false;
    if (++p->depth > kSyntaxDepthMax) return false;
    n->type = oneof ? ArgType::oneof : ArgType::block;
    if (!parse_list(p, oneof ? End::oneof : End::block, &first, &count) || count == 0) return false;
    p->depth--;
    n->child = first;
    n->children = static_cast<uint16_t>(count);
    return true;
}

static bool parse_key_spec(Parser* p, ArgNode* n) {
    int spec = p->next_key_spec;
    if (take(p, '#')) {
        if (!is_digit(*p->p)) return false;
        spec = *p->p++ - '0';
    }
    n->key_spec = static_cast<int8_t>(spec);
    p->next_key_spec = spec + 1;
    return true;
}

// "name:type": the type is behind the last colon ("ip:port:string").
static bool parse_plain(Parser* p, ArgNode* n, Bytes word) {
    size_t colon = word.len;
    while (colon > 0 && word[colon - 1] != ':')
        colon--;
    if (colon < 2) return false;
    Bytes type = bytes_slice(word, colon, word.len - colon);
    n->name = bytes_slice(word, 0, colon - 1);
    for (size_t i = 0; i < kPlainTypes; i++) {
        if (!bytes_equal(type, kTypeNames[i])) continue;
        n->type = static_cast<ArgType>(i);
        return n->type == ArgType::key || *p->p == '#' ? parse_key_spec(p, n) : true;
    }
    return false;
}

static bool has_colon(Bytes word) { return memchr(word.ptr, ':', word.len) != nullptr; }

// Is `word` a token in front of an argument, and not an argument itself?
static bool begins_tokened(const Parser* p, Bytes word) {
    if (has_colon(word) || p->p[0] != ' ' || !is_upper(word[0])) return false;
    // TOKEN name:type and TOKEN name=..., but not TOKEN [item], TOKEN TOKEN or TOKEN name~OTHER.
    Parser ahead = *p;
    ahead.p++;
    Bytes next = take_word(&ahead);
    return next.len != 0 && (has_colon(next) || *ahead.p == '=');
}

static bool parse_body(Parser* p, ArgNode* n) {
    Bytes word = take_word(p);
    if (word.len == 0 || word.len >= kArgNameMax) return false;
    if (begins_tokened(p, word)) {
        set_token(n, word);
        p->p++;
        word = take_word(p);
    }
    if (take(p, '=')) {
        n->name = word;
        return parse_group(p, n);
    }
    if (has_colon(word)) return parse_plain(p, n, word);
    n->type = ArgType::pure_token;
    n->name = word;
    if (take(p, '~')) {
        set_token(n, take_any_token(p));
        return true;
    }
    n->lower_name = true;
    set_token(n, word);
    return is_upper(word[0]);
}

static bool parse_suffixes(Parser* p, ArgNode* n) {
    for (;;) {
        if (at_token_repeat(p->p)) {
            n->multiple = n->multiple_token = true;
            p->p += 4;
        } else if (at_repeat(p->p)) {
            n->multiple = true;
            p->p += 3;
        } else if (take(p, '@')) {
            n->since = take_word(p);
            if (n->since.len == 0) return false;
        } else if (take(p, '^')) {
            n->deprecated_since = take_word(p);
            if (n->deprecated_since.len == 0) return false;
        } else {
            return true;
        }
    }
}

static bool parse_item(Parser* p, int16_t* out) {
    if (p->out->used == kSyntaxNodesMax) return false;
    auto at = static_cast<int16_t>(p->out->used++);
    ArgNode* n = &p->out->nodes[at];
    *n = {};
    n->optional = take(p, '[');
    if (!parse_body(p, n) || !parse_suffixes(p, n)) return false;
    if (n->optional && !take(p, ']')) return false;
    *out = at;
    return true;
}

static bool parse_list(Parser* p, End end, int16_t* first, size_t* count) {
    int16_t last = -1;
    *first = -1;
    for (*count = 0;; (*count)++) {
        if (*count == 0 && end == End::text && *p->p == 0) return true;
        int16_t item;
        if (!parse_item(p, &item)) return false;
        (last < 0 ? *first : p->out->nodes[last].next) = item;
        last = item;
        if (take(p, end == End::oneof ? '|' : ' ')) continue;
        (*count)++;
        return end == End::text ? *p->p == 0 : take(p, static_cast<char>(end));
    }
}

bool syntax_parse(const char* text, Syntax* out) {
    Parser p = {text, text, out};
    out->used = 0;
    out->error_at = 0;
    if (parse_list(&p, End::text, &out->first, &out->count)) return true;
    out->error_at = static_cast<size_t>(p.p - p.start);
    return false;
}

// ---- printing ---------------------------------------------------------------------------------

struct Printer {
    const Syntax* s;
    SyntaxPut put;
    void* arg;
};

static void put(const Printer* w, Bytes piece) { w->put(w->arg, piece); }

static void print_list(const Printer* w, int16_t first, Bytes between);

static void print_value(const Printer* w, const ArgNode* n) {
    switch (n->type) {
        case ArgType::pure_token: put(w, n->token.len != 0 ? n->token : Bytes("\"\"")); break;
        case ArgType::block: print_list(w, n->child, " "); break;
        case ArgType::oneof: {
            // Without brackets of an option around it, alternatives need some of their own.
            bool bare = n->optional && !n->has_token && !n->multiple;
            if (!bare) put(w, "<");
            print_list(w, n->child, " | ");
            if (!bare) put(w, ">");
            break;
        }
        default: put(w, n->name);
    }
}

static void print_once(const Printer* w, const ArgNode* n, bool with_token) {
    if (with_token && n->has_token && n->type != ArgType::pure_token) {
        put(w, n->token);
        put(w, " ");
    }
    print_value(w, n);
}

static void print_node(const Printer* w, const ArgNode* n) {
    if (n->optional) put(w, "[");
    print_once(w, n, true);
    if (n->multiple) {
        put(w, " [");
        print_once(w, n, n->multiple_token);
        put(w, " ...]");
    }
    if (n->optional) put(w, "]");
}

static void print_list(const Printer* w, int16_t first, Bytes between) {
    for (int16_t i = first; i >= 0; i = w->s->nodes[i].next) {
        if (i != first) put(w, between);
        print_node(w, &w->s->nodes[i]);
    }
}

void syntax_print(const Syntax* s, SyntaxPut put, void* arg) {
    Printer w = {s, put, arg};
    print_list(&w, s->first, " ");
}

}  // namespace rp
