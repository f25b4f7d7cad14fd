// Which words of a command are nobody's business.
#include "cmd/redact.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rp::test {

static const Cmd kRow[] = {{.name = "AUTH"},    {.name = "HELLO"},   {.name = "MIGRATE"},
                           {.name = "SET"},     {.name = "SETUSER"}, {.name = "GETUSER"},
                           {.name = "DELUSER"}, {.name = "LIST"},    {.name = "MGET"}};
static const Cmd kAcl = {.name = "ACL"};
static const Cmd kConfig = {.name = "CONFIG"};

static const Cmd* row(Bytes name) {
    for (const Cmd& r : kRow) {
        if (bytes_equal(bytes_of(r.name), name)) return &r;
    }
    return nullptr;
}

// The words as MONITOR would show them; the first is in no case hidden.
static std::string shown(const Cmd* parent, const std::vector<Bytes>& argv) {
    Args args = {argv.data(), argv.size()};
    const Cmd* r = row(argv[parent != nullptr ? 1 : 0]);
    std::string out;
    for (size_t i = 0; i < args.len; i++) {
        Bytes b = arg_shown(parent, r, args, i);
        out += (i == 0 ? "" : " ") + (bytes_equal(b, kRedacted) ? "*" : std::string(b.ptr, b.len));
    }
    return out;
}

TEST(Redact, AuthShowsNeitherUserNorPassword) {
    EXPECT_EQ(shown(nullptr, {"AUTH", "pw"}), "AUTH *");
    EXPECT_EQ(shown(nullptr, {"AUTH", "user", "pw"}), "AUTH * *");
}

TEST(Redact, HelloHidesWhatFollowsAuthAndNothingElse) {
    EXPECT_EQ(shown(nullptr, {"HELLO"}), "HELLO");
    EXPECT_EQ(shown(nullptr, {"HELLO", "3", "auth", "u", "pw", "SETNAME", "n"}),
              "HELLO 3 auth * * SETNAME n");
    EXPECT_EQ(shown(nullptr, {"HELLO", "3", "SETNAME", "AUTH", "AUTH", "SETNAME", "pw"}),
              "HELLO 3 SETNAME AUTH AUTH * *");
}

TEST(Redact, ConfigSetHidesTheValuesOfSecretSettings) {
    EXPECT_EQ(shown(&kConfig, {"CONFIG", "SET", "hz", "10", "RequirePass", "pw", "maxmemory", "1"}),
              "CONFIG SET hz 10 RequirePass * maxmemory 1");
    EXPECT_EQ(shown(&kConfig, {"CONFIG", "SET", "masterauth", "masterauth"}),
              "CONFIG SET masterauth *");
}

TEST(Redact, RulesOfUsersAreHiddenWithTheirNames) {
    EXPECT_EQ(shown(&kAcl, {"ACL", "SETUSER", "bob", "on", ">pw"}), "ACL SETUSER * * *");
    EXPECT_EQ(shown(&kAcl, {"ACL", "DELUSER", "bob", "eve"}), "ACL DELUSER * *");
    EXPECT_EQ(shown(&kAcl, {"ACL", "GETUSER", "bob"}), "ACL GETUSER *");
    EXPECT_EQ(shown(&kAcl, {"ACL", "LIST"}), "ACL LIST");
}

TEST(Redact, MigrateHidesThePasswordOfTheOtherServer) {
    EXPECT_EQ(shown(nullptr, {"MIGRATE", "h", "1", "", "0", "5", "AUTH", "pw", "KEYS", "AUTH2"}),
              "MIGRATE h 1  0 5 AUTH * KEYS AUTH2");
    EXPECT_EQ(shown(nullptr, {"MIGRATE", "h", "1", "k", "0", "5", "COPY", "auth2", "u", "p"}),
              "MIGRATE h 1 k 0 5 COPY auth2 * *");
}

TEST(Redact, DataAreShown) {
    EXPECT_EQ(shown(nullptr, {"SET", "AUTH", "requirepass"}), "SET AUTH requirepass");
    EXPECT_EQ(shown(nullptr, {"MGET", "a", "b"}), "MGET a b");
}

}  // namespace rp::test
