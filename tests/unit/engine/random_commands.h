// Commands at random: few keys in few databases, so that they meet; every family that writes, and
// the reads that write by the way (an expired key, SCAN).
#pragma once
#include <random>
#include <string>
#include <vector>

namespace rp::test {

using Words = std::vector<std::string>;

struct RandomCommands {
    std::mt19937_64 random;
    // Keys of different clients, if that is wanted, and of different types.
    int keys = 6;

    explicit RandomCommands(uint64_t seed) : random(seed) {}

    uint64_t below(uint64_t n) { return random() % n; }
    std::string number(uint64_t n) { return std::to_string(below(n)); }
    std::string one_of(std::initializer_list<const char*> all) {
        return all.begin()[below(all.size())];
    }

    std::string key(const char* type) { return type + number(static_cast<uint64_t>(keys)); }
    std::string any_key() { return key(one_of({"s", "s", "l", "h", "t", "z"}).c_str()); }
    std::string value() {
        switch (below(5)) {
            case 0: return number(100);
            case 1: return std::string(below(60), static_cast<char>('a' + below(26)));
            case 2: return "3." + number(1000);
            case 3: return below(8) == 0 ? std::string(20000 + below(100), 'B') : "\r\n*$";
            default: return "v" + number(10);
        }
    }
    std::string db() { return number(3); }

    Words string_command() {
        std::string k = key("s");
        switch (below(24)) {
            case 0: return {"SET", k, value()};
            case 1: return {"SET", k, value(), one_of({"EX", "PX"}), "1" + number(40)};
            case 2: return {"set", k, value(), one_of({"NX", "XX"}), "PX", "2" + number(9)};
            case 3: return {"SET", k, value(), "KEEPTTL"};
            case 4: return {"SET", k, value(), "GET", one_of({"NX", "XX", "KEEPTTL", "GET"})};
            case 5: return {one_of({"SETEX", "PSETEX"}), k, "1" + number(30), value()};
            case 6: return {"SET", k, value(), "PXAT", number(50) + "1"};  // long ago
            case 7: return {"GETEX", k, one_of({"EX", "PX"}), "1" + number(40)};
            case 8: return {"GETEX", k, "PERSIST"};
            case 9: return {"GETEX", k, one_of({"EXAT", "PXAT"}), "12" + number(99)};
            case 10: return {"GETDEL", k};
            case 11: return {"GETSET", k, value()};
            case 12: return {"SETNX", k, value()};
            case 13: return {"MSET", k, value(), key("s"), value(), key("s"), value()};
            case 14: return {"MSETNX", k, value(), key("s"), value()};
            case 15: return {"APPEND", k, value()};
            case 16: return {"SETRANGE", k, number(40), value()};
            case 17: return {one_of({"INCR", "DECR"}), k};
            case 18: return {one_of({"INCRBY", "DECRBY"}), k, number(1000)};
            case 19: return {"INCRBYFLOAT", k, one_of({"0.1", "-3e2", "7", "1e-7", "inf"})};
            case 20: return {"GET", k};
            case 21: return {"MGET", k, key("s"), any_key()};
            case 22: return {"STRLEN", k};
            default: return {"SET", k, number(1000)};
        }
    }
    Words key_command() {
        std::string k = any_key();
        switch (below(19)) {
            case 0: return {one_of({"DEL", "UNLINK"}), k};
            case 1: return {"DEL", k, any_key(), any_key()};
            case 2: return {"RENAME", k, any_key()};
            case 3: return {"RENAMENX", k, any_key()};
            case 4: return {"MOVE", k, db()};
            case 5: return {"COPY", k, any_key(), "DB", db()};
            case 6: return {"COPY", k, any_key(), "REPLACE"};
            case 7: return {"COPY", k, any_key(), "REPLACE", "DB", db()};
            case 8: return {"EXPIRE", k, one_of({"0", "1", "-1", "2"})};
            case 9: return {"PEXPIRE", k, number(60), one_of({"NX", "XX", "GT", "LT"})};
            case 10: return {"PEXPIRE", k, number(60)};
            case 11: return {one_of({"EXPIREAT", "PEXPIREAT"}), k, number(2000)};
            case 12: return {"PERSIST", k};
            case 13: return {"TYPE", k};
            case 14: return {"EXISTS", k, any_key()};
            case 15: return {"SCAN", "0", "COUNT", "100000"};
            case 16: return {"RANDOMKEY"};
            case 17: return {"PTTL", k};
            default: return {"TOUCH", k, any_key()};
        }
    }
    Words database_command() {
        switch (below(8)) {
            case 0: return {"FLUSHDB"};
            case 1: return {"FLUSHALL", one_of({"SYNC", "ASYNC"})};
            case 2: return {"SWAPDB", db(), db()};
            default: return {"SELECT", db()};
        }
    }
    Words command() {
        uint64_t which = below(100);
        if (which < 2) return database_command();
        if (which < 6) return {"SELECT", db()};
        if (which < 40) return key_command();
        return string_command();
    }
    // One command, or a transaction.
    std::vector<Words> run() {
        if (below(12) != 0) return {command()};
        std::vector<Words> all = {{"MULTI"}};
        if (below(4) == 0) all.insert(all.begin(), {"WATCH", any_key()});
        for (uint64_t n = below(6); n > 0; n--)
            all.push_back(below(5) == 0 ? Words{"SELECT", db()} : command());
        all.push_back({below(10) == 0 ? "DISCARD" : "EXEC"});
        return all;
    }
};

}  // namespace rp::test
