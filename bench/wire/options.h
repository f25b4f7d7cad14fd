// bench/wire/options.h: the command line of rp_load. One row per flag.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

enum class Op { get, set, incr, mset, ping };

struct Options {
    std::string host = "127.0.0.1";
    std::string unix_path;
    std::string op_name = "get";
    Op op = Op::get;
    int port = 6379;
    int clients = 50;
    int pipeline = 1;
    int threads = 1;
    int mset_keys = 10;
    int server_pid = 0;
    uint64_t keys = 100'000;
    uint64_t value_bytes = 64;
    uint64_t requests = 0;
    uint64_t seed = 1;
    double seconds = 0;
    double ramp_s = 0.1;
    bool warm = false;
    std::vector<int> cpus;
};

inline const char kUsage[] =
    "usage: rp_load [--flag value]...\n"
    "  --host 127.0.0.1 | --unix PATH    the server (IPv4)\n"
    "  --port 6379\n"
    "  --op get|set|incr|mset|ping       the command (default get)\n"
    "  --clients 50                      connections, shared by all threads\n"
    "  --pipeline 1                      commands in flight on each connection\n"
    "  --threads 1                       load threads\n"
    "  --keys 100000                     keys to draw from, uniformly; 1 = one hot key\n"
    "  --value-bytes 64                  size of each value\n"
    "  --mset-keys 10                    pairs in each MSET\n"
    "  --warm                            first set every key once (alone: do only that)\n"
    "  --seconds S | --requests N        how long to run\n"
    "  --ramp 0.1                        seconds before the window that --seconds measures\n"
    "  --seed 1                          of the key sequence\n"
    "  --cpu A[,B...]                    pin the load threads to these CPUs, in turn\n"
    "  --server-pid PID                  also report this process' CPU time in the window\n";

inline bool option_number(const char* name, const char* text, double least, double most,
                          double* out) {
    char* end = nullptr;
    *out = strtod(text, &end);
    if (end != text && *end == 0 && *out >= least && *out <= most) return true;
    fprintf(stderr, "rp_load: %s %s: must be a number from %.15g to %.15g\n", name, text, least,
            most);
    return false;
}

inline bool option_op(const char* text, Options* o) {
    static const char* const kOps[] = {"get", "set", "incr", "mset", "ping"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(text, kOps[i]) != 0) continue;
        o->op = static_cast<Op>(i);
        o->op_name = text;
        return true;
    }
    fprintf(stderr, "rp_load: --op %s: must be get, set, incr, mset or ping\n", text);
    return false;
}

inline bool option_cpus(const char* text, Options* o) {
    for (const char* at = text;;) {
        char* end = nullptr;
        const long cpu = strtol(at, &end, 10);
        if (end == at || cpu < 0 || cpu > 1023 || (*end != ',' && *end != 0)) {
            fprintf(stderr, "rp_load: --cpu %s: must be CPU numbers with commas\n", text);
            return false;
        }
        o->cpus.push_back(static_cast<int>(cpu));
        if (*end == 0) return true;
        at = end + 1;
    }
}

// Sets the number that a flag names. *known tells whether there is such a flag.
inline bool option_set_number(const char* name, const char* text, Options* o, bool* known) {
    struct Row {
        const char* name;
        double least;
        double most;
        int* as_int;
        uint64_t* as_u64;
        double* as_double;
    };
    const Row rows[] = {
        {"--port", 1, 65535, &o->port, nullptr, nullptr},
        {"--clients", 1, 20'000, &o->clients, nullptr, nullptr},
        {"--pipeline", 1, 10'000, &o->pipeline, nullptr, nullptr},
        {"--threads", 1, 64, &o->threads, nullptr, nullptr},
        {"--mset-keys", 1, 1000, &o->mset_keys, nullptr, nullptr},
        {"--server-pid", 1, 1 << 30, &o->server_pid, nullptr, nullptr},
        {"--keys", 1, 1e12, nullptr, &o->keys, nullptr},
        {"--value-bytes", 0, 512.0 * 1024 * 1024, nullptr, &o->value_bytes, nullptr},
        {"--requests", 1, 1e15, nullptr, &o->requests, nullptr},
        {"--seed", 0, 1e15, nullptr, &o->seed, nullptr},
        {"--seconds", 0.01, 86'400, nullptr, nullptr, &o->seconds},
        {"--ramp", 0, 60, nullptr, nullptr, &o->ramp_s},
    };
    for (const Row& row : rows) {
        if (strcmp(name, row.name) != 0) continue;
        *known = true;
        double value = 0;
        if (!option_number(name, text, row.least, row.most, &value)) return false;
        if (row.as_int != nullptr) *row.as_int = static_cast<int>(value);
        if (row.as_u64 != nullptr) *row.as_u64 = static_cast<uint64_t>(value);
        if (row.as_double != nullptr) *row.as_double = value;
        return true;
    }
    *known = false;
    return true;
}

inline bool options_check(const Options& o) {
    if (o.seconds > 0 && o.requests > 0) {
        fprintf(stderr, "rp_load: give --seconds or --requests, not both\n");
    } else if (o.seconds <= 0 && o.requests == 0 && !o.warm) {
        fprintf(stderr, "rp_load: give --seconds, --requests or --warm\n");
    } else {
        return true;
    }
    return false;
}

// Returns false after one line on stderr that says what is wrong.
inline bool options_parse(int argc, char** argv, Options* o) {
    for (int i = 1; i < argc; i++) {
        const char* name = argv[i];
        if (strcmp(name, "--help") == 0) {
            fputs(kUsage, stdout);
            exit(0);
        }
        if (strcmp(name, "--warm") == 0) {
            o->warm = true;
            continue;
        }
        if (i + 1 >= argc) {
            fprintf(stderr, "rp_load: %s: unknown, or its value is missing\n", name);
            return false;
        }
        const char* text = argv[++i];
        bool known = true;
        if (strcmp(name, "--host") == 0) {
            o->host = text;
        } else if (strcmp(name, "--unix") == 0) {
            o->unix_path = text;
        } else if (strcmp(name, "--op") == 0) {
            if (!option_op(text, o)) return false;
        } else if (strcmp(name, "--cpu") == 0) {
            if (!option_cpus(text, o)) return false;
        } else if (!option_set_number(name, text, o, &known)) {
            return false;
        }
        if (!known) {
            fprintf(stderr, "rp_load: %s: no such flag (--help lists them)\n", name);
            return false;
        }
    }
    return options_check(*o);
}
