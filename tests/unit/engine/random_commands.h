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
    // Of members whose scores differ a range by name is whatever the form makes of it: the same
    // when replayed, another in redis-server.
    bool lex = true;

    explicit RandomCommands(uint64_t seed) : random(seed) {}

    uint64_t below(uint64_t n) { return random() % n; }
    std::string number(uint64_t n) { return std::to_string(below(n)); }
    std::string one_of(std::initializer_list<const char*> all) {
        return all.begin()[below(all.size())];
    }

    std::string key(const char* type) { return type + number(static_cast<uint64_t>(keys)); }
    std::string any_key() { return key(one_of({"s", "l", "h", "t", "z"}).c_str()); }
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
    std::string element() { return below(3) == 0 ? value() : number(12); }
    // Up to five, or once in a while so many that the form changes.
    Words elements(Words command) {
        uint64_t n = 1 + below(below(40) == 0 ? 600 : 5);
        for (uint64_t i = 0; i < n; i++)
            command.push_back(n > 5 ? number(2000) : element());
        return command;
    }
    std::string end() { return one_of({"LEFT", "RIGHT"}); }

    Words list_command() {
        std::string k = key("l");
        switch (below(16)) {
            case 0:
            case 1:
            case 2: return elements({one_of({"LPUSH", "RPUSH"}), k});
            case 3: return elements({one_of({"LPUSHX", "RPUSHX"}), k});
            case 4: return {"LINSERT", k, one_of({"BEFORE", "AFTER"}), element(), element()};
            case 5: return {"LSET", k, one_of({"0", "1", "-1", "-3"}), element()};
            case 6: return {one_of({"LPOP", "RPOP"}), k};
            case 7: return {one_of({"LPOP", "RPOP"}), k, number(4)};
            case 8: return {"LMPOP", "2", key("l"), k, end(), "COUNT", "1" + number(3)};
            case 9: return {"LMPOP", "1", k, end()};
            case 10: return {"LMOVE", k, key("l"), end(), end()};
            case 11: return {"RPOPLPUSH", k, key("l")};
            case 12: return {"LREM", k, one_of({"0", "1", "-2"}), element()};
            case 13: return {"LTRIM", k, number(3), one_of({"-1", "-2", "5", "300"})};
            case 14: return {"LRANGE", k, "0", "-1"};
            default: return {"LLEN", k};
        }
    }
    Words hash_command() {
        std::string k = key("h");
        switch (below(9)) {
            case 0: return {"HSET", k, element(), value()};
            case 1: return {one_of({"HSET", "HMSET"}), k, element(), value(), element(), value()};
            case 2: return {"HSETNX", k, element(), value()};
            case 3: return elements({"HDEL", k});
            case 4: return {"HINCRBY", k, number(12), number(100)};
            case 5: return {"HINCRBYFLOAT", k, number(12), one_of({"0.1", "-2.5e3", "1e-9"})};
            case 6: return {"HGETALL", k};
            case 7: {
                Words many = {"HSET", k};
                for (uint64_t n = below(20) == 0 ? 300 : 2; n > 0; n--) {
                    many.push_back("f" + number(400));
                    many.push_back(value());
                }
                return many;
            }
            default: return {"HGET", k, element()};
        }
    }
    Words set_command() {
        std::string k = key("t");
        switch (below(12)) {
            case 0:
            case 1:
            case 2: return elements({"SADD", k});
            case 3: return elements({"SREM", k});
            case 4: return {"SPOP", k};
            case 5: return {"SPOP", k, number(5)};
            case 6: return {"SPOP", k, one_of({"10", "400", "1000000"})};
            case 7: return {"SMOVE", k, key("t"), element()};
            case 8:
                return {one_of({"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"}), k, key("t"), key("t"),
                        key("t")};
            case 9: return {"SMEMBERS", k};
            case 10: return {"SRANDMEMBER", k, "3"};
            default: return {"SISMEMBER", k, element()};
        }
    }
    std::string score() {
        return one_of({"0", "1", "0.1", "-0.7", "3e10", "inf", "0.30000000001"});
    }

    Words zset_command() {
        std::string k = key("z");
        switch (below(18)) {
            case 0: return {"ZADD", k, score(), element()};
            case 1:
            case 2: return {"ZADD", k, score(), element(), score(), element(), score(), element()};
            case 3: return {"ZADD", k, one_of({"XX", "NX", "GT", "LT", "CH"}), score(), element()};
            case 4: return {"ZADD", k, "INCR", score(), number(12)};
            case 5: return {"ZINCRBY", k, score(), number(12)};
            case 6: return elements({"ZREM", k});
            case 7: return {one_of({"ZPOPMIN", "ZPOPMAX"}), k};
            case 8: return {one_of({"ZPOPMIN", "ZPOPMAX"}), k, number(4)};
            case 9: return {"ZMPOP", "2", key("z"), k, one_of({"MIN", "MAX"}), "COUNT", "3"};
            case 10: return {"ZREMRANGEBYRANK", k, "0", number(2)};
            case 11: return {"ZREMRANGEBYSCORE", k, "(0", "0.5"};
            case 12: return lex ? Words{"ZREMRANGEBYLEX", k, "[2", "[3"} : Words{"ZCARD", k};
            case 13: return {"ZRANGESTORE", k, key("z"), "-inf", "1", "BYSCORE"};
            case 14:
                return {one_of({"ZUNIONSTORE", "ZINTERSTORE"}),
                        k,
                        "3",
                        key("z"),
                        key("t"),
                        key("z"),
                        "WEIGHTS",
                        "0.3",
                        "2",
                        "-1",
                        "AGGREGATE",
                        one_of({"SUM", "MIN", "MAX"})};
            case 15: return {"ZDIFFSTORE", k, "2", key("z"), key("z")};
            case 16: {
                Words many = {"ZADD", k};
                for (uint64_t n = below(20) == 0 ? 300 : 2; n > 0; n--) {
                    many.push_back("0." + number(1000));
                    many.push_back(number(400));
                }
                return many;
            }
            default: return {"ZRANGE", k, "0", "-1", "WITHSCORES"};
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
        if (which < 30) return key_command();
        if (which < 43) return list_command();
        if (which < 55) return hash_command();
        if (which < 68) return set_command();
        if (which < 82) return zset_command();
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
