// The RDB codec against itself, and against bytes made by hand from the description of the format.
// tests/persist and tests/integration/test_dump.py hold it against redis-server.
#include "persist/rdb_kit.h"

#include <random>

namespace rp::test {

// ---- strings ----------------------------------------------------------------------------------

static std::string string_payload(const std::string& s, bool compress = true) {
    Out out;
    rdb_payload(&out, Type::string, as_bytes(s), nullptr, compress);
    return out_text(&out);
}

TEST(RdbString, EveryKindComesBack) {
    std::vector<std::string> texts = {"",
                                      "a",
                                      "0",
                                      "-1",
                                      "127",
                                      "128",
                                      "-128",
                                      "-129",
                                      "32767",
                                      "32768",
                                      "-32768",
                                      "-32769",
                                      "2147483647",
                                      "2147483648",
                                      "-2147483648",
                                      "-2147483649",
                                      "9223372036854775807",
                                      "+1",
                                      "01",
                                      "-0",
                                      " 1",
                                      "1.0",
                                      std::string("\0\r\n\xff", 4)};
    for (size_t len : {20, 21, 63, 64, 100, 16383, 16384, 70000, 300000}) {
        texts.push_back(std::string(len, 'x'));
        std::string noise;
        std::mt19937_64 random(len);
        while (noise.size() < len)
            noise += static_cast<char>(random());
        texts.push_back(noise);
    }
    for (const std::string& s : texts) {
        EXPECT_EQ("string " + s, restored(string_payload(s))) << s.size();
        EXPECT_EQ("string " + s, restored(string_payload(s, false))) << s.size();
    }
}

TEST(RdbString, IntegersTakeAsFewBytesAsRedisGivesThem) {
    auto body = [](const std::string& s) {
        std::string p = string_payload(s);
        return p.substr(1, p.size() - 11);
    };
    EXPECT_EQ("\xc0\x7f", body("127"));
    EXPECT_EQ("\xc0\x80", body("-128"));
    EXPECT_EQ(std::string("\xc1\x80\x00", 3), body("128"));
    EXPECT_EQ(std::string("\xc2\x00\x80\x00\x00", 5), body("32768"));
    EXPECT_EQ(
        "\x0a"
        "2147483648",
        body("2147483648"));
}

TEST(RdbString, LongOnesAreCompressedWhenThatSavesFourBytes) {
    EXPECT_LT(string_payload(std::string(1000, 'a')).size(), 100u);
    EXPECT_GT(string_payload(std::string(1000, 'a'), false).size(), 1000u);
    EXPECT_EQ(1u + 1 + 20 + 10, string_payload(std::string(20, 'a')).size());
}

TEST(RdbString, HostileLengthsAreRefused) {
    EXPECT_EQ("bad", restored_body(std::string("\0", 1)));  // nothing
    EXPECT_EQ("bad", restored_body(std::string("\0\x05"
                                               "abcd",
                                               6)));  // one byte short
    EXPECT_EQ("bad", restored_body(std::string("\0\x80\xff\xff\xff\xff", 6)));
    EXPECT_EQ("bad", restored_body(std::string("\0\x81\x7f\xff\xff\xff\xff\xff\xff\xff", 10)));
    EXPECT_EQ("bad", restored_body(std::string("\0\x82\0\0\0\0", 6)));  // no such length
    EXPECT_EQ("bad", restored_body(std::string("\0\xc4zzzz", 6)));      // no such encoding
    EXPECT_EQ("bad", restored_body(std::string("\0\x01"
                                               "ab",
                                               4)));  // one byte too many
    // LZF: unpacked length zero, beyond any ratio, not what comes out; a reference before the
    // start.
    EXPECT_EQ("bad", restored_body(std::string("\0\xc3\x02\0\0a", 6)));
    EXPECT_EQ("bad", restored_body(std::string("\0\xc3\x02\x80\xff\xff\xff\xff\0a", 10)));
    EXPECT_EQ("bad", restored_body(std::string("\0\xc3\x02\x02\0a", 6)));
    EXPECT_EQ("string a", restored_body(std::string("\0\xc3\x02\x01\0a", 6)));
    EXPECT_EQ("bad", restored_body(std::string("\0\xc3\x02\x03\x20\x05", 6)));
    EXPECT_EQ("bad", restored_body(std::string("\0\xc3\0\x01", 4)));
}

// ---- collections ------------------------------------------------------------------------------

class RdbCollection : public testing::TestWithParam<Type> {};

TEST_P(RdbCollection, EveryFormComesBack) {
    Type type = GetParam();
    std::mt19937_64 random(7);
    for (size_t count : {1, 2, 10, 65, 129, 600, 5000}) {
        for (size_t len : {1, 8, 70, 200}) {
            Value v;
            for (size_t i = 0; i < count; i++) {
                std::string name = std::to_string(random() % (count * 3));
                if (len > 8) name += std::string(len, static_cast<char>('a' + i % 26));
                add(&v, type, name, i % 3 == 0 ? std::to_string(i) : "-1.5");
            }
            Out out;
            rdb_payload(&out, type, {}, &v, true);
            EXPECT_EQ(shown(type, &v), restored(out_text(&out))) << count << " of " << len;
            value_free(&v);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Types, RdbCollection,
                         testing::Values(Type::list, Type::set, Type::hash, Type::zset));

TEST(RdbCollection, SetsOfIntegersStayIntsets) {
    Value v;
    for (const char* m : {"3", "-9223372036854775808", "1", "9223372036854775807"})
        add(&v, Type::set, m);
    Out out;
    rdb_payload(&out, Type::set, {}, &v, true);
    value_free(&v);
    RdbKey k;
    std::string payload = out_text(&out);
    ASSERT_EQ(Payload::ok, rdb_read_payload(as_bytes(payload), &kLimits, &k));
    EXPECT_EQ(Form::intset, k.value.form);
    value_free(&k.value);
}

TEST(RdbCollection, ScoresOfEveryKindComeBack) {
    Value v;
    for (const char* score : {"0", "-1.5", "inf", "-inf", "1e308", "5e-324", "3.0000000000000004"})
        add(&v, Type::zset, std::string("m") + score, score);
    Out out;
    rdb_payload(&out, Type::zset, {}, &v, true);
    EXPECT_EQ(shown(Type::zset, &v), restored(out_text(&out)));
    value_free(&v);
}

TEST(RdbCollection, WhatIsThereTwiceIsRefused) {
    EXPECT_EQ("bad", restored_body("\x02\x02" + text("a") + text("a")));
    EXPECT_EQ("bad", restored_body("\x02\x02" + text("1") + text("1")));
    EXPECT_EQ("bad", restored_body("\x04\x02" + text("f") + text("1") + text("f") + text("2")));
    std::string one = number(0x3ff0000000000000, 8);
    EXPECT_EQ("bad", restored_body("\x05\x02" + text("m") + one + text("m") + one));
}

TEST(RdbCollection, CountsThatTheBytesCannotHoldAreRefused) {
    for (int code : {1, 2, 3, 4, 5, 14, 18}) {
        std::string body(1, static_cast<char>(code));
        EXPECT_EQ("bad", restored_body(body)) << code;
        EXPECT_EQ("bad", restored_body(body + std::string(1, '\0'))) << "empty " << code;
        EXPECT_EQ("bad", restored_body(body + "\x05" + text("a"))) << code;
        EXPECT_EQ("bad", restored_body(body + "\x80\x7f\xff\xff\xff" + text("a"))) << code;
        EXPECT_EQ("bad", restored_body(body + "\x81\xff\xff\xff\xff\xff\xff\xff\xff" + text("a")));
    }
}

TEST(RdbCollection, ScoresThatAreNoNumbersAreRefused) {
    std::string nan = number(0x7ff8000000000000, 8);
    EXPECT_EQ("bad", restored_body("\x05\x01" + text("m") + nan));
    EXPECT_EQ("bad", restored_body("\x03\x01" + text("m") + "\xfd"));
    EXPECT_EQ("bad", restored_body("\x03\x01" + text("m") + text("nan")));
    EXPECT_EQ("bad", restored_body("\x03\x01" + text("m") + text("1x")));
    EXPECT_EQ("zset [m=1.5]", restored_body("\x03\x01" + text("m") + text("1.5")));
    EXPECT_EQ("zset [n=-inf, m=inf]",
              restored_body("\x03\x02" + text("m") + "\xfe" + text("n") + "\xff"));
}

TEST(RdbPayload, VersionAndChecksumAreChecked) {
    std::string body = std::string("\0", 1) + text("a");
    EXPECT_EQ("string a", restored(sealed(body, 1)));
    EXPECT_EQ("string a", restored(sealed(body, 11)));
    EXPECT_EQ("checksum", restored(sealed(body, 12)));
    EXPECT_EQ("checksum", restored(""));
    EXPECT_EQ("checksum", restored("123456789"));
    std::string good = sealed(body);
    for (size_t i = 0; i < good.size() * 8; i++) {
        std::string bad = good;
        bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
        EXPECT_EQ("checksum", restored(bad)) << i;
    }
}

TEST(RdbPayload, StreamsAndModulesAreUnsupported) {
    for (int code : {15, 19, 21, 6})
        EXPECT_EQ("unsupported",
                  restored_body(std::string(1, static_cast<char>(code)) + "whatever"));
    EXPECT_EQ("unsupported", restored_body(std::string("\x07\x81") + "12345678"));
    for (int code : {8, 22, 100, 250, 255})
        EXPECT_EQ("bad", restored_body(std::string(1, static_cast<char>(code)) + "whatever"));
}

// ---- files ------------------------------------------------------------------------------------

static std::string sample_file(bool checksum = true) {
    Out out;
    RdbOut o;
    o.out = &out;
    o.checksum = checksum;
    RdbHead head = {.ctime_s = 1700000000, .used_mem = 12345, .aof_base = true};
    rdb_begin(&o, &head);
    rdb_select_db(&o, 0);
    rdb_resize_db(&o, 2, 1);
    rdb_key(&o, "k", Type::string, 1700000000123, -1, -1);
    rdb_string(&o, "value");
    Value v;
    add(&v, Type::hash, "f", "1");
    rdb_key(&o, "h", Type::hash, kNoExpiry, 100, -1);
    rdb_value(&o, Type::hash, &v);
    value_free(&v);
    rdb_select_db(&o, 15);
    rdb_resize_db(&o, 1, 0);
    rdb_key(&o, "big", Type::string, kNoExpiry, -1, 7);
    rdb_string(&o, as_bytes(std::string(20000, 'b')));
    rdb_end(&o);
    return out_text(&out);
}

static const std::vector<std::string> kSampleKeys = {
    "0/k 1700000000123 -1 -1: string value", "0/h -1 100 -1: hash [f=1]",
    "15/big -1 -1 7: string " + std::string(20000, 'b')};

TEST(RdbFile, ComesBackWhateverThePiecesItIsReadIn) {
    for (size_t piece : {size_t{1}, size_t{3}, size_t{1000}, SIZE_MAX}) {
        std::string bytes = sample_file();
        Loaded l = load(bytes + "*1\r\n", piece);
        EXPECT_TRUE(l.good) << l.error;
        EXPECT_EQ(bytes.size(), l.used);
        EXPECT_EQ(kSampleKeys, l.keys);
        EXPECT_EQ("0:2/1 15:1/0 ", l.sizes);
        EXPECT_EQ("1", l.aux["aof-base"]);
        EXPECT_EQ("7.0.15", l.aux["redis-ver"]);
        EXPECT_EQ("1700000000", l.aux["ctime"]);
    }
}

TEST(RdbFile, CutAnywhereItIsRefusedWithPathAndPlace) {
    std::string bytes = sample_file();
    for (size_t len = 0; len < bytes.size(); len++) {
        Loaded l = load(bytes.substr(0, len));
        ASSERT_FALSE(l.good) << len;
        ASSERT_EQ(0u, l.error.find("/d/dump.rdb: byte " + std::to_string(len))) << l.error;
        ASSERT_NE(std::string::npos, l.error.find("was cut")) << l.error;
    }
}

TEST(RdbFile, AFlippedBitIsFound) {
    std::string bytes = sample_file();
    for (size_t i = 0; i < bytes.size() * 8; i++) {
        std::string bad = bytes;
        bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
        Loaded l = load(bad);
        ASSERT_FALSE(l.good) << i;
        ASSERT_FALSE(l.error.empty()) << i;
        ASSERT_EQ(std::string::npos, l.error.find('\n'));
    }
}

TEST(RdbFile, WithoutChecksumItIsZeroAndNotChecked) {
    std::string bytes = sample_file(false);
    EXPECT_EQ(std::string(8, '\0'), bytes.substr(bytes.size() - 8));
    EXPECT_TRUE(load(bytes).good);
    MemoryFile f(sample_file());
    f.bytes.back() = static_cast<char>(f.bytes.back() ^ 1);
    f.in.checksum = false;
    EXPECT_TRUE(load(&f).good);
}

TEST(RdbFile, OldVersionsHaveNoChecksum) {
    std::string key = std::string("\0", 1) + text("k") + text("v");
    Loaded l = load("REDIS0004" + key + "\xff");
    EXPECT_TRUE(l.good) << l.error;
    EXPECT_EQ(std::vector<std::string>{"0/k -1 -1 -1: string v"}, l.keys);
    EXPECT_FALSE(load("REDIS0005" + key + "\xff").good);
}

TEST(RdbFile, ExpiryInSecondsAndSlotsOfAClusterAreRead) {
    std::string body =
        "\xf4\x01\x02\x03"
        "\xfd" +
        number(1700000000, 4) + std::string("\0", 1) + text("k") + text("v");
    Loaded l = load(file_of(body, "0011"));
    EXPECT_TRUE(l.good) << l.error;
    EXPECT_EQ(std::vector<std::string>{"0/k 1700000000000 -1 -1: string v"}, l.keys);
}

TEST(RdbFile, KeysWithoutElementsAreLeftOut) {
    std::string body = "\x02" + text("none") + std::string(1, '\0');
    Loaded l = load(file_of(body));
    EXPECT_TRUE(l.good) << l.error;
    EXPECT_TRUE(l.keys.empty());
}

TEST(RdbFile, WhatCannotBeKeptIsNamed) {
    struct {
        std::string body, error;
    } cases[] = {
        {std::string("\xfe\x03\x0f") + text("my\nstream") + "rest",
         "(database 3, key 'my\\x0astream'): a stream. This version cannot hold it"},
        {"\x07" + text("mod") + std::string("\x81\x1a\x15\x51\x38\x78\x91\x78\x01", 9),
         "(database 0, key 'mod'): a value of the module type '"},
        {std::string("\xf7\x81\0\0\0\0\0\0\x04\x01", 10), "data of the module 'AAAAAAAAB'"},
        {"\xf5" + text("#!lua name=mylib\nredis.call()"), "the function library 'mylib'"},
        {"\xf6" + text("old") + text("LUA") + std::string(1, '\0') + text("code"),
         "the function library 'old'"},
        {"\x63" + text("k"), "99 is no known type of value"},
    };
    for (const auto& c : cases) {
        Loaded l = load(file_of(c.body));
        EXPECT_FALSE(l.good);
        EXPECT_NE(std::string::npos, l.error.find(c.error)) << l.error;
        EXPECT_TRUE(l.keys.empty());
    }
    EXPECT_TRUE(load(file_of("\xf5" + text(""))).good) << "an empty library is nothing";
    EXPECT_NE(std::string::npos, load(file_of("", "0012")).error.find("RDB version 12"));
    EXPECT_FALSE(load("REDIS00x0\xff").good);
    EXPECT_NE(std::string::npos, load("*3\r\n$3\r\nSET").error.find("no RDB file"));
}

TEST(RdbFile, AnErrorOfTheDiskIsSaid) {
    MemoryFile f(sample_file().substr(0, 50));
    f.fails_with = EIO;
    Loaded l = load(&f);
    EXPECT_FALSE(l.good);
    EXPECT_NE(std::string::npos, l.error.find("cannot be read: Input/output error")) << l.error;
}

TEST(RdbFile, AnnouncedLengthsTakeNoMemory) {
    for (std::string body :
         {std::string("\0\x80\xff\xff\xff\xff", 6),         // a key of 4 GiB
          std::string("\0\x01k\x80\xff\xff\xff\xff", 8),    // a value
          std::string("\x04\x01k\x80\x7f\xff\xff\xff", 8),  // 2^31 fields
          std::string("\x0d\x01k\x80\xff\xff\xff\xff", 8),  // a ziplist
          std::string("\0\x01k\xc3\x80\xff\xff\xff\xff\x80\xff\xff\xff\xff", 14)}) {
        int64_t before = mem_used();
        MemoryFile f("REDIS0010" + body + std::string(100000, 'x'));
        f.piece = 4096;
        EXPECT_FALSE(load(&f).good);
        EXPECT_LT(f.used_max - before, 4 << 20);
        EXPECT_LE(mem_used() - before, kMemFlush);
    }
}

TEST(RdbFile, TheVisitorMayTakeWhatItIsShown) {
    struct Taken {
        Blob* blob = nullptr;
        Value value;
    } taken;
    RdbVisitor visitor;
    visitor.arg = &taken;
    visitor.key = [](void* arg, RdbKey* k, PersistErr* err) {
        auto* t = static_cast<Taken*>(arg);
        if (k->type == Type::hash) {
            t->value = k->value;
            k->value = {};
        }
        if (k->string == nullptr) return true;
        EXPECT_EQ(20000u, k->string->cap);
        t->blob = k->string;
        k->string = nullptr;
        snprintf(err->text, sizeof err->text, "enough");
        return false;
    };
    MemoryFile f(sample_file());
    uint64_t used;
    PersistErr err;
    EXPECT_FALSE(rdb_read(&f.in, &kLimits, &visitor, &used, &err));
    EXPECT_STREQ("enough", err.text);
    EXPECT_EQ(20000u, taken.blob->len);
    EXPECT_EQ("hash [f=1]", shown(Type::hash, &taken.value));
    blob_unref(taken.blob);
    value_free(&taken.value);
}

// ---- a file of somebody else ------------------------------------------------------------------

// RP_RDB_FROM is read and written again as RP_RDB_TO: tests/persist/test_rdb_files.py compares.
static void copy_key(RdbOut* o, RdbKey* k, uint32_t* db) {
    if (*db != k->db) rdb_select_db(o, *db = k->db);
    rdb_key(o, k->key, k->type, k->expiry_ms, k->idle_s, k->lfu);
    if (k->type == Type::string) return rdb_string(o, k->text);
    check(k->type, &k->value);
    rdb_value(o, k->type, &k->value);
}

TEST(RdbCopy, OfTheFileNamedInTheEnvironment) {
    const char* from = getenv("RP_RDB_FROM");
    const char* to = getenv("RP_RDB_TO");
    if (from == nullptr || to == nullptr) GTEST_SKIP() << "RP_RDB_FROM and RP_RDB_TO are not set";
    FILE* file = fopen(from, "rb");
    ASSERT_NE(nullptr, file);
    struct Copy {
        Out out;
        RdbOut rdb;
        uint32_t db = UINT32_MAX;
    } copy;
    copy.rdb.out = &copy.out;
    RdbHead head = {};
    rdb_begin(&copy.rdb, &head);
    RdbIn in = {.read =
                    [](void* arg, void* bytes, size_t len) {
                        return static_cast<ssize_t>(fread(bytes, 1, len, static_cast<FILE*>(arg)));
                    },
                .arg = file,
                .path = from};
    RdbVisitor visitor;
    visitor.arg = &copy;
    visitor.key = [](void* arg, RdbKey* k, PersistErr*) {
        auto* c = static_cast<Copy*>(arg);
        copy_key(&c->rdb, k, &c->db);
        return true;
    };
    uint64_t used;
    PersistErr err;
    EXPECT_TRUE(rdb_read(&in, &kLimits, &visitor, &used, &err)) << err.text;
    fclose(file);
    rdb_end(&copy.rdb);
    std::string bytes = out_text(&copy.out);
    file = fopen(to, "wb");
    ASSERT_NE(nullptr, file);
    EXPECT_EQ(bytes.size(), fwrite(bytes.data(), 1, bytes.size(), file));
    fclose(file);
}

}  // namespace rp::test
