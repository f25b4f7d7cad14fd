#include "engine/syntax.h"

#include <gtest/gtest.h>

#include <string>

#include "cmd/dispatch.h"
#include "engine/engine.h"

namespace rp::test {

static std::string text(Bytes b) { return {b.ptr, b.len}; }

// The tree as one line: name/type, then what is set, then (children).
static std::string show(const Syntax& s, int16_t first) {
    std::string out;
    for (int16_t i = first; i >= 0; i = s.nodes[i].next) {
        const ArgNode& n = s.nodes[i];
        char buf[kArgNameMax];
        if (i != first) out += ' ';
        out += text(arg_name(&n, buf)) + '/' + text(arg_type_name(n.type));
        if (n.key_spec >= 0) out += '#' + std::to_string(n.key_spec);
        if (n.has_token) out += '<' + text(n.token) + '>';
        if (n.since.len != 0) out += '@' + text(n.since);
        if (n.deprecated_since.len != 0) out += '^' + text(n.deprecated_since);
        if (n.optional) out += '?';
        if (n.multiple) out += n.multiple_token ? "++" : "+";
        if (n.children != 0) out += '(' + show(s, n.child) + ')';
    }
    return out;
}

static std::string tree(const char* syntax) {
    Syntax s;
    if (!syntax_parse(syntax, &s)) return "error at " + std::to_string(s.error_at);
    return show(s, s.first);
}

static std::string print(const char* syntax) {
    Syntax s;
    EXPECT_TRUE(syntax_parse(syntax, &s)) << syntax;
    std::string out;
    syntax_print(
        &s, [](void* arg, Bytes b) { *static_cast<std::string*>(arg) += text(b); }, &out);
    return out;
}

TEST(Syntax, ReadsPlainArguments) {
    EXPECT_EQ(tree(""), "");
    EXPECT_EQ(tree("key:key value:string"), "key/key#0 value/string");
    EXPECT_EQ(tree("a:integer b:double c:pattern d:unix-time"),
              "a/integer b/double c/pattern d/unix-time");
    EXPECT_EQ(tree("key:key..."), "key/key#0+");
    EXPECT_EQ(tree("ip:port:string^2.8.12"), "ip:port/string^2.8.12");
}

TEST(Syntax, NumbersKeySpecs) {
    EXPECT_EQ(tree("source:key destination:key"), "source/key#0 destination/key#1");
    EXPECT_EQ(tree("key1:key key2:key#0"), "key1/key#0 key2/key#0");
    EXPECT_EQ(tree("a:key b:key#3 c:key"), "a/key#0 b/key#3 c/key#4");
    EXPECT_EQ(tree("key:key [GET pattern:pattern#1+...]"), "key/key#0 pattern/pattern#1<GET>?++");
}

TEST(Syntax, ReadsTokens) {
    EXPECT_EQ(tree("[REPLACE]"), "replace/pure-token<REPLACE>?");
    EXPECT_EQ(tree("[NOW@7.0.0] [FORCE]"), "now/pure-token<NOW>@7.0.0? force/pure-token<FORCE>?");
    EXPECT_EQ(tree("[sorting~ALPHA]"), "sorting/pure-token<ALPHA>?");
    EXPECT_EQ(tree("[DB db:integer]"), "db/integer<DB>?");
    EXPECT_EQ(tree("no-one={NO ONE}"), "no-one/block(no/pure-token<NO> one/pure-token<ONE>)");
    EXPECT_EQ(tree("op=(equal~=|about~~|any~*)"),
              "op/oneof(equal/pure-token<=> about/pure-token<~> any/pure-token<*>)");
    EXPECT_EQ(tree("key_or_empty=(key:key|empty~)"),
              "key_or_empty/oneof(key/key#0 empty/pure-token<>)");
}

TEST(Syntax, ReadsGroups) {
    EXPECT_EQ(tree("[condition=(NX|XX)@2.6.12]"),
              "condition/oneof@2.6.12?(nx/pure-token<NX> xx/pure-token<XX>)");
    EXPECT_EQ(tree("[expiration=(EX s:integer@2.6.12|KEEPTTL@6.0.0)]"),
              "expiration/oneof?(s/integer<EX>@2.6.12 keepttl/pure-token<KEEPTTL>@6.0.0)");
    EXPECT_EQ(tree("kv={key:key value:string}..."), "kv/block+(key/key#0 value/string)");
    EXPECT_EQ(tree("[ID id={client-id:integer...}@6.2.0]"),
              "id/block<ID>@6.2.0?(client-id/integer+)");
    EXPECT_EQ(tree("[CONFIG configs={name:string value:string}+...]"),
              "configs/block<CONFIG>?++(name/string value/string)");
    EXPECT_EQ(tree("f=([ID x:integer]|[SKIPME yes/no:string])..."),
              "f/oneof+(x/integer<ID>? yes/no/string<SKIPME>?)");
}

TEST(Syntax, RefusesWhatIsNotInTheGrammar) {
    for (const char* bad :
         {" ", "a", "key:keys", "key:key ", "key:key  b:key", "[X", "[X] ]", "a=(", "a=()", "a=(X|",
          "a={X", "a=(X}", "x:integer@", "x:integer^ ", "key:key#x", ":string", "a=b"}) {
        EXPECT_EQ(tree(bad).substr(0, 8), "error at") << bad;
    }
    EXPECT_EQ(tree("key:key [LEN x:integer y:integer]"), "error at 22");
    EXPECT_EQ(tree(std::string(1000, '[').c_str()).substr(0, 8), "error at");
    std::string deep, wide = "A";
    for (int i = 0; i < kSyntaxDepthMax + 1; i++)
        deep += "a=(";
    for (size_t i = 0; i < kSyntaxNodesMax; i++)
        wide += " A";
    EXPECT_EQ(tree((deep + "X").c_str()).substr(0, 8), "error at");
    EXPECT_EQ(tree(wide.c_str()).substr(0, 8), "error at");
}

TEST(Syntax, PrintsForReaders) {
    EXPECT_EQ(print("key:key value:string [condition=(NX|XX)@2.6.12] [GET]"),
              "key value [NX | XX] [GET]");
    EXPECT_EQ(print("key:key..."), "key [key ...]");
    EXPECT_EQ(print("kv={key:key value:string}..."), "key value [key value ...]");
    EXPECT_EQ(print("[PREFIX prefix:string+...]"), "[PREFIX prefix [PREFIX prefix ...]]");
    EXPECT_EQ(print("mode=(YES|NO)"), "<YES | NO>");
    EXPECT_EQ(print("[FILTERBY filterby=(MODULE m:string|ACLCAT c:string)]"),
              "[FILTERBY <MODULE m | ACLCAT c>]");
}

static void check_row(const Cmd* parent, const Cmd* row) {
    Syntax s;
    std::string name = (parent != nullptr ? std::string(parent->name) + " " : "") + row->name;
    EXPECT_TRUE(syntax_parse(row->syntax, &s))
        << name << ": " << row->syntax << " at " << s.error_at;
    EXPECT_NE(row->about, nullptr) << name;
    EXPECT_NE(row->since, nullptr) << name;
    EXPECT_NE(row->group, nullptr) << name;
    EXPECT_NE(row->arity, 0) << name;
    EXPECT_TRUE(row->run != nullptr || row->subcommands != nullptr) << name;
    for (size_t i = 0; i < s.used; i++) {
        const ArgNode& n = s.nodes[i];
        if (n.key_spec < 0) continue;
        ASSERT_LT(n.key_spec, kKeySpecsMax) << name;
        EXPECT_NE(row->keys[n.key_spec].flags, 0u) << name << " names a key spec that is not there";
    }
}

TEST(Syntax, EveryRowIsComplete) {
    engine_register_commands();
    for (size_t i = 0; i < command_top_count(); i++) {
        const Cmd* row = command_at(i);
        check_row(nullptr, row);
        for (const Cmd* s = row->subcommands; s != nullptr && s->name != nullptr; s++) {
            check_row(row, s);
        }
    }
}

TEST(Docs, MarkdownHasEveryListedCommandOnce) {
    engine_register_commands();
    char* markdown = engine_commands_markdown();
    std::string doc = markdown;
    free(markdown);
    for (size_t i = 0; i < command_top_count(); i++) {
        const Cmd* row = command_at(i);
        if (row->flags & kCmdHidden) continue;
        if (row->run == nullptr) row = &row->subcommands[0];
        std::string cell = row == command_at(i)
                               ? "| `" + std::string(row->name)
                               : "| `" + std::string(command_at(i)->name) + " " + row->name;
        size_t spaced = doc.find(cell + " "), bare = doc.find(cell + "`");
        EXPECT_TRUE(spaced != std::string::npos || bare != std::string::npos) << cell;
    }
    EXPECT_NE(doc.find("`SET key value [NX \\| XX] [GET]"), std::string::npos);
}

}  // namespace rp::test
