// conf/config.h: every setting of the server: one table of rows (conf/rows.h), their values, and
// the four sources they come from. Later sources win:
//
//     defaults  <  redis.conf file, standard input  <  RUSTYPOTATO_* environment  <  --flags  <
//     CONFIG SET
//
// All names, aliases, bounds and error texts of Redis 7.0 are known. Rows marked effective do what
// they say; the others are stored and returned only (docs/configuration.md, generated, lists
// which).
//
// Values   numbers, yes/no and choices are atomics in struct Config, read by config_num. Texts live
//          behind a lock in `texts` and are copied out by config_text.
// Threads  config_load: one owner, before any other thread knows the Config. Everything else: any.
//          CONFIG SET calls run one after another; readers never wait for them.
// Limits   kConfigFileMax bytes a file, kConfigIncludesMax nested includes, kConfigErrMax a
// message.
#pragma once
#include <atomic>
#include <cstdio>

#include "base/bytes.h"
#include "base/status.h"

namespace rp {

struct ConfigRow;    // conf/rows.h
struct ConfigTexts;  // opaque: the text values, the locks, the path of the loaded file

constexpr size_t kConfigRowsMax = 192;
constexpr size_t kConfigFileMax = size_t{16} << 20;
constexpr int kConfigIncludesMax = 16;
constexpr size_t kConfigErrMax = 1024;
constexpr int64_t kIoThreadsDefaultMax = 8;  // io-threads defaults to the CPUs, at most this many

using ConfigNum = std::atomic<int64_t>;

inline int64_t config_num(const ConfigNum& n) { return n.load(std::memory_order_relaxed); }

// One line without control bytes; "" = no error.
struct ConfigErr {
    char text[kConfigErrMax] = {};
};

// client-output-buffer-limit of one class; 0 = no limit.
struct ClientLimit {
    ConfigNum hard_bytes{0};
    ConfigNum soft_bytes{0};
    ConfigNum soft_seconds{0};
};
enum class ClientClass : uint8_t { normal, replica, pubsub };
constexpr size_t kClientClasses = 3;

// enable-debug-command, enable-protected-configs, enable-module-command.
enum class DebugAccess : int64_t { no, yes, local };

// Asked after the new values are visible, once for each row that changed or names a file. False
// vetoes the whole set: every value is put back, and rows already applied are applied again with
// their old values. `why` is a NUL-terminated text (protocol wording, if Redis has one). Must not
// set settings itself.
using ConfigApply = bool (*)(void* arg, const ConfigRow* row, char* why, size_t why_size);

struct Config {
    // Network.
    ConfigNum port, unixsocketperm, timeout_s, tcp_keepalive_s, tcp_backlog, maxclients,
        protected_mode;
    ConfigNum io_threads;  // number of loops
    // Encryption; the texts stay behind the lock. tls_auth_clients: 0 no, 1 yes, 2 optional.
    ConfigNum tls_port, tls_auth_clients, tls_prefer_server_ciphers;
    ConfigNum tls_session_caching, tls_session_cache_size, tls_session_cache_timeout;
    // Limits of a client.
    ConfigNum proto_max_bulk_len, client_query_buffer_limit;
    ConfigNum maxmemory_clients;                // bytes, or minus a percentage of maxmemory
    ClientLimit client_limits[kClientClasses];  // by ClientClass
    // Memory. maxmemory_policy: 0.. as in the row's choices (EvictPolicy of store/evict.h).
    ConfigNum maxmemory, maxmemory_policy, maxmemory_samples, maxmemory_eviction_tenacity;
    ConfigNum lfu_log_factor, lfu_decay_time;
    ConfigNum lazyfree_lazy_eviction, lazyfree_lazy_expire, lazyfree_lazy_server_del;
    ConfigNum lazyfree_lazy_user_del, lazyfree_lazy_user_flush;
    // Up to where a collection is kept flat: elements, and bytes of one of them (types/value.h).
    ConfigNum hash_max_listpack_entries, hash_max_listpack_value;
    ConfigNum zset_max_listpack_entries, zset_max_listpack_value;
    ConfigNum set_max_intset_entries;
    ConfigNum list_max_listpack_size;  // of a node; types/quicklist.h
    // Persistence. appendfsync: FsyncPolicy of persist/log.h.
    ConfigNum appendonly, appendfsync, rdbcompression, rdbchecksum, stop_writes_on_bgsave_error;
    ConfigNum auto_aof_rewrite_percentage, auto_aof_rewrite_min_size;
    ConfigNum aof_load_truncated, aof_use_rdb_preamble, aof_timestamp_enabled;
    ConfigNum acllog_max_len, acl_pubsub_default;  // 1: allchannels
    // Engine. loglevel, log_format: LogLevel, LogFormat of base/log.h.
    ConfigNum notify_keyspace_events;  // NotifyClass of store/notify.h
    ConfigNum databases, hz, dynamic_hz, active_expire_effort, loglevel, log_format;
    // Watching: microseconds, entries, milliseconds, yes/no.
    ConfigNum slowlog_log_slower_than, slowlog_max_len, latency_monitor_threshold, latency_tracking;
    ConfigNum tracking_table_max_keys;
    ConfigNum enable_debug_command, enable_protected_configs;  // DebugAccess
    // The rows without a field above, by row number.
    ConfigNum other[kConfigRowsMax];
    ConfigTexts* texts = nullptr;  // owned
};

// *out: owned by the caller until config_free; holds the defaults. Fails with no_memory.
Status config_new(Config** out);
void config_free(Config* take);

// --- Sources
// ---------------------------------------------------------------------------------------

struct ConfigSources {
    // After the program's name, as redis-server takes them: [file] [-] [--name value...]... [-].
    int argc = 0;
    const char* const* argv = nullptr;
    const char* const* environment = nullptr;  // "NAME=value" up to a null; null = not looked at
    int stdin_fd = 0;                          // what "-" reads, to its end
};

// On failure *err says in one line where, which setting and what is allowed; the Config is then
// only good for config_free.
[[nodiscard]] bool config_load(Config* c, const ConfigSources& sources, ConfigErr* err);
// One source at a time. `name` stands for the text in errors: "config file 'x' line 3: ...".
[[nodiscard]] bool config_load_file(Config* c, const char* path, ConfigErr* err);
[[nodiscard]] bool config_load_text(Config* c, Bytes text, const char* name, bool includes_allowed,
                                    ConfigErr* err);
[[nodiscard]] bool config_load_environment(Config* c, const char* const* environment,
                                           ConfigErr* err);

// What redis.conf says beside settings, in order. The words are borrowed for the call; `where` says
// which line ("config file 'x' line 3").
using ConfigWordsFn = void (*)(void* arg, const Bytes* words, size_t count, const char* where);
void config_each_user(const Config* c, ConfigWordsFn fn, void* arg);    // user name rules...
void config_each_rename(const Config* c, ConfigWordsFn fn, void* arg);  // rename-command from to

// --- CONFIG GET, SET, REWRITE
// ------------------------------------------------------------------------

struct ConfigPair {
    Bytes name, value;
};

// All or none. On failure err->text is the whole reply without its '-': "ERR CONFIG SET failed
// ...". `local_client`: may set protected settings where those are open to local clients.
[[nodiscard]] bool config_set_many(Config* c, const ConfigPair* pairs, size_t count,
                                   bool local_client, ConfigErr* err);
// The same, but fails at once while another thread is in one of the two: for whoever holds what
// that one may be waiting for.
[[nodiscard]] bool config_try_set_many(Config* c, const ConfigPair* pairs, size_t count,
                                       bool local_client, ConfigErr* err);
// One callback for all rows; null = none. REQUIRES: no config_set_many is running.
void config_on_apply(Config* c, ConfigApply fn, void* arg);

struct ConfigSink {
    void (*row)(void* arg, Bytes name,
                Bytes value) = nullptr;  // borrowed for the call; null = count
    void* arg = nullptr;
};

// Names and aliases that match any pattern, each once, in the order of the table; returns how many.
// A pattern without * ? [ is a name, found even if hidden, and given back as it was written.
size_t config_get(const Config* c, const Bytes* patterns, size_t count, ConfigSink sink);

// Copies at most size - 1 bytes of a row's value, formatted as CONFIG GET does, and a NUL; returns
// the full length. Lists (bind, save) are separated by one space. An unknown name is a bug.
size_t config_text(const Config* c, Bytes name, char* out, size_t size);

// The lines `user ...` that a rewrite writes in place of those the file has.
struct ConfigUsers {
    const Bytes* lines = nullptr;
    size_t count = 0;
};
// Writes the settings into the file they were loaded from (`path` null) or into `path`: comments
// and order stay, changed values are replaced, new ones appended. Temporary file, fsync, rename,
// fsync of the directory. `users` null: lines of users stay as they are. On failure err->text is
// the whole reply without its '-'.
[[nodiscard]] bool config_rewrite(Config* c, const char* path, ConfigErr* err,
                                  const ConfigUsers* users = nullptr);
// Absolute path of the loaded file, "" if none; as config_text.
size_t config_file(const Config* c, char* out, size_t size);

// Rows that are set away from their default although they have no effect here: for a warning at
// start.
size_t config_unused(const Config* c, ConfigSink sink);

// docs/configuration.md.
void config_docs_markdown(FILE* out);
// packaging/redis.conf: every setting with its default, commented out.
void config_docs_conf(FILE* out);

}  // namespace rp
