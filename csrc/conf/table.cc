// The table of settings. Names, aliases, bounds and defaults are those of Redis 7.0 (protocol
// facts, compared with a real server by tests/unit/conf); the descriptions are ours.
#include "conf/table.h"

#include <climits>

#include "conf/checks.h"

namespace rp {

using Num = ConfigNum Config::*;

static constexpr int64_t kInt = INT_MAX;
static constexpr int64_t kLong = INT64_MAX;
static constexpr int64_t kKb = 1024;
static constexpr int64_t kMb = 1024 * kKb;
static constexpr int64_t kGb = 1024 * kMb;

static constexpr uint16_t kFixed = kConfigImmutable;
static constexpr uint16_t kWorks = kConfigEffective;
static constexpr uint16_t kSecret = kConfigSensitive;
static constexpr uint16_t kUnseen = kConfigHidden;
static constexpr uint16_t kList = kConfigMulti;
static constexpr uint16_t kFile = kConfigFile;

static constexpr ConfigChoice kSupervised[] = {
    {"upstart", 3}, {"systemd", 2}, {"auto", 1}, {"no", 0}, {}};
static constexpr ConfigChoice kFacilities[] = {
    {"user", 0},   {"local0", 1}, {"local1", 2}, {"local2", 3}, {"local3", 4},
    {"local4", 5}, {"local5", 6}, {"local6", 7}, {"local7", 8}, {}};
static constexpr ConfigChoice kDisklessLoad[] = {
    {"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {}};
static constexpr ConfigChoice kLogLevels[] = {
    {"debug", 0}, {"verbose", 1}, {"notice", 2}, {"warning", 3}, {}};
static constexpr ConfigChoice kLogFormats[] = {{"redis", 0}, {"logfmt", 1}, {"json", 2}, {}};
static constexpr ConfigChoice kPolicies[] = {
    {"volatile-lru", 0},   {"volatile-lfu", 1}, {"volatile-random", 2},
    {"volatile-ttl", 3},   {"allkeys-lru", 4},  {"allkeys-lfu", 5},
    {"allkeys-random", 6}, {"noeviction", 7},   {}};
static constexpr ConfigChoice kFsync[] = {{"everysec", 1}, {"always", 2}, {"no", 0}, {}};
// "relative" is another word for "yes".
static constexpr ConfigChoice kOomAdjust[] = {
    {"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}, {}};
static constexpr ConfigChoice kPubsubDefault[] = {{"allchannels", 1}, {"resetchannels", 0}, {}};
static constexpr ConfigChoice kSanitize[] = {{"no", 0}, {"yes", 1}, {"clients", 2}, {}};
static constexpr ConfigChoice kAccess[] = {{"no", 0}, {"yes", 1}, {"local", 2}, {}};
static constexpr ConfigChoice kEndpoint[] = {
    {"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}, {}};
static constexpr ConfigChoice kPropagation[] = {
    {"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}, {}};
static constexpr ConfigChoice kTlsClients[] = {{"no", 0}, {"yes", 1}, {"optional", 2}, {}};
static constexpr ConfigChoice kShutdown[] = {{"default", 0}, {"save", 2},  {"nosave", 1},
                                             {"now", 4},     {"force", 8}, {}};

static constexpr ConfigRow yes_no(const char* name, bool number, uint16_t flags, const char* about,
                                  Num num = nullptr, const char* alias = nullptr) {
    return {.name = name,
            .alias = alias,
            .kind = ConfigKind::boolean,
            .flags = flags,
            .lower = 0,
            .upper = 1,
            .number = number,
            .num = num,
            .about = about};
}

static constexpr ConfigRow integer(const char* name, int64_t number, int64_t lower, int64_t upper,
                                   uint16_t flags, const char* about, Num num = nullptr,
                                   const char* alias = nullptr) {
    return {.name = name,
            .alias = alias,
            .kind = ConfigKind::integer,
            .flags = flags,
            .lower = lower,
            .upper = upper,
            .number = number,
            .num = num,
            .about = about};
}

static constexpr ConfigRow memory(const char* name, int64_t number, int64_t lower, uint16_t flags,
                                  const char* about, Num num = nullptr,
                                  const char* alias = nullptr) {
    return {.name = name,
            .alias = alias,
            .kind = ConfigKind::memory,
            .flags = flags,
            .lower = lower,
            .upper = kLong,
            .number = number,
            .num = num,
            .about = about};
}

static constexpr ConfigRow choice(const char* name, int64_t number, const ConfigChoice* choices,
                                  uint16_t flags, const char* about, Num num = nullptr) {
    return {.name = name,
            .kind = ConfigKind::choice,
            .flags = flags,
            .number = number,
            .choices = choices,
            .num = num,
            .about = about};
}

static constexpr ConfigRow text(const char* name, const char* value, uint16_t flags,
                                const char* about, const char* alias = nullptr,
                                const char* (*check)(Bytes) = nullptr) {
    return {.name = name,
            .alias = alias,
            .kind = ConfigKind::text,
            .flags = flags,
            .text = value,
            .check = check,
            .about = about};
}

static constexpr ConfigRow special(ConfigKind kind, const char* name, const char* value,
                                   uint16_t flags, const char* about, const char* alias = nullptr) {
    return {
        .name = name, .alias = alias, .kind = kind, .flags = flags, .text = value, .about = about};
}

// clang-format off
constexpr ConfigRow kConfigRows[] = {
    // Network.
    integer("port", 6379, 0, 65535, kWorks,
        "TCP port to accept connections on; 0 = none.", &Config::port),
    special(ConfigKind::bind_list, "bind", "* -::*", kList | kWorks,
        "Addresses to listen on, at most 16; a leading - means: skip it if this machine lacks it."),
    text("unixsocket", "", kFixed | kWorks,
        "Path of a Unix socket to listen on; empty = none."),
    {.name = "unixsocketperm", .kind = ConfigKind::octal, .flags = kFixed | kWorks, .upper = 0777,
     .num = &Config::unixsocketperm,
     .about = "Permissions of the Unix socket, octal; 0 = leave them to the umask."},
    integer("timeout", 0, 0, kInt, kWorks,
        "Seconds without a command after which a connection is closed; 0 = never.",
        &Config::timeout_s),
    integer("tcp-keepalive", 300, 0, kInt, kWorks,
        "Seconds between TCP keep-alive probes on idle connections; 0 = no probes.",
        &Config::tcp_keepalive_s),
    integer("tcp-backlog", 511, 0, kInt, kFixed | kWorks,
        "Connections the kernel may hold for us before we accept them.", &Config::tcp_backlog),
    integer("maxclients", 10000, 1, UINT_MAX, kWorks,
        "Connections served at the same time; more are refused.", &Config::maxclients),
    yes_no("protected-mode", true, kWorks,
        "Without a password and with the default bind, serve connections from this machine only.",
        &Config::protected_mode),
    integer("io-threads", 1, 1, 128, kFixed | kWorks,
        "Number of loops, each a thread that reads, executes and writes; default: the CPUs, at "
        "most 8.",
        &Config::io_threads),
    yes_no("io-threads-do-reads", false, kFixed,
        "In Redis: let the extra threads read too. Here every loop always does."),
    integer("socket-mark-id", 0, 0, UINT_MAX, kFixed,
        "Mark put on listening sockets, for packet filters."),
    text("bind-source-addr", "", 0,
        "Address outgoing connections (replication) start from."),

    // Limits of a client.
    text("requirepass", "", kSecret | kWorks,
        "Password that AUTH asks for; empty = none."),
    memory("proto-max-bulk-len", 512 * kMb, kMb, kWorks,
        "Longest argument, and longest value that APPEND and SETRANGE may make, in bytes.",
        &Config::proto_max_bulk_len),
    memory("client-query-buffer-limit", kGb, kMb, kWorks,
        "Bytes of unfinished command a connection may send before it is closed.",
        &Config::client_query_buffer_limit),
    {.name = "client-output-buffer-limit", .kind = ConfigKind::client_limits,
     .flags = kList | kWorks,
     .text = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
     .about = "Per class (normal, replica, pubsub): bytes of unread replies that close the "
              "connection "
              "at once, bytes that close it when kept up, and for how many seconds; 0 = no limit."},
    {.name = "maxmemory-clients", .kind = ConfigKind::memory_or_percent, .flags = kWorks,
     .upper = kLong, .num = &Config::maxmemory_clients,
     .about = "Bytes (at least 128kb), or percent of maxmemory, that all connections together may "
              "use; the largest are closed then. 0 = no limit."},

    // Memory.
    memory("maxmemory", 0, 0, kWorks,
        "Bytes of data above which keys are evicted or writes refused; 0 = no limit.",
        &Config::maxmemory),
    choice("maxmemory-policy", 7, kPolicies, kWorks,
        "Which keys go when maxmemory is reached.", &Config::maxmemory_policy),
    integer("maxmemory-samples", 5, 1, kInt, kWorks,
        "Keys looked at to choose one for eviction; more = closer to the ideal, slower.",
        &Config::maxmemory_samples),
    integer("maxmemory-eviction-tenacity", 10, 0, 100, kWorks,
        "How long one command may spend on evicting: 0 = shortest, 100 = until memory fits.",
        &Config::maxmemory_eviction_tenacity),
    integer("lfu-log-factor", 10, 0, kInt, kWorks,
        "How slowly the use counter of the LFU policies saturates.", &Config::lfu_log_factor),
    integer("lfu-decay-time", 1, 0, kInt, kWorks,
        "Minutes after which the use counter of the LFU policies loses one; 0 = never.",
        &Config::lfu_decay_time),
    yes_no("lazyfree-lazy-eviction", false, 0,
        "Free evicted values in the background.", &Config::lazyfree_lazy_eviction),
    yes_no("lazyfree-lazy-expire", false, 0,
        "Free expired values in the background.", &Config::lazyfree_lazy_expire),
    yes_no("lazyfree-lazy-server-del", false, 0,
        "Free overwritten values in the background.", &Config::lazyfree_lazy_server_del),
    yes_no("lazyfree-lazy-user-del", false, 0,
        "Make DEL act as UNLINK.", &Config::lazyfree_lazy_user_del),
    yes_no("lazyfree-lazy-user-flush", false, 0,
        "Make FLUSHALL and FLUSHDB asynchronous unless told SYNC.",
        &Config::lazyfree_lazy_user_flush),
    yes_no("replica-lazy-flush", false, 0,
        "Let a replica drop its old data in the background before a full sync.", nullptr,
        "slave-lazy-flush"),
    integer("tracking-table-max-keys", 1000000, 0, kLong, kWorks,
        "Keys remembered for client-side caching; 0 = no limit.",
        &Config::tracking_table_max_keys),
    yes_no("activerehashing", true, 0,
        "In Redis: spend spare time on moving keys to a resized table. Here resizing needs no "
        "help."),
    yes_no("jemalloc-bg-thread", true, 0,
        "Let the allocator give memory back from a thread of its own."),
    yes_no("disable-thp", true, kFixed,
        "Turn transparent huge pages off for the process."),
    {.name = "activedefrag", .kind = ConfigKind::boolean, .upper = 1,
     .check = check_activedefrag, .about = "Move values to undo fragmentation; cannot be turned "
                                           "on."},
    memory("active-defrag-ignore-bytes", 100 * kMb, 1, 0,
        "Wasted bytes below which defragmentation does not start."),
    integer("active-defrag-threshold-lower", 10, 0, 1000, 0,
        "Percent of fragmentation at which defragmentation starts."),
    integer("active-defrag-threshold-upper", 100, 0, 1000, 0,
        "Percent of fragmentation at which defragmentation works hardest."),
    integer("active-defrag-cycle-min", 1, 1, 99, 0,
        "Percent of CPU time for defragmentation at the lower threshold."),
    integer("active-defrag-cycle-max", 25, 1, 99, 0,
        "Percent of CPU time for defragmentation at the upper threshold."),
    integer("active-defrag-max-scan-fields", 1000, 1, kLong, 0,
        "Fields of a collection handled at once by defragmentation; larger ones wait."),

    // Engine.
    integer("databases", 16, 1, kInt, kFixed | kWorks,
        "Number of databases that SELECT may choose from.", &Config::databases),
    {.name = "hz", .kind = ConfigKind::integer, .flags = kWorks, .lower = 0, .upper = kInt,
     .number = 10, .clamp_low = 1, .clamp_high = 500, .num = &Config::hz,
     .about = "Runs of the periodic work per second; kept between 1 and 500."},
    yes_no("dynamic-hz", true, kWorks,
        "Run the periodic work more often while many clients are connected.", &Config::dynamic_hz),
    integer("active-expire-effort", 1, 1, 10, kWorks,
        "How much time the search for expired keys may take: 1 = least, 10 = most.",
        &Config::active_expire_effort),
    special(ConfigKind::directory, "dir", "", kConfigProtected | kWorks,
        "Working directory: relative file names start here."),
    text("pidfile", "", kFixed | kWorks,
        "File that holds the process id while the server runs; empty = none."),
    {.name = "daemonize", .kind = ConfigKind::boolean, .flags = kFixed | kWorks, .upper = 1,
     .about = "Go on in the background; without `pidfile` the process id is in "
              "/var/run/redis.pid."},
    choice("supervised", 0, kSupervised, kFixed | kWorks,
        "Service manager to tell when the server is ready: systemd by $NOTIFY_SOCKET, upstart by "
        "stopping itself; auto = the one that is there."),
    {.name = "enable-protected-configs", .kind = ConfigKind::choice, .flags = kFixed | kWorks,
     .choices = kAccess, .num = &Config::enable_protected_configs,
     .about = "Who may set protected settings by CONFIG SET: no = nobody, local = clients of "
              "this machine."},
    {.name = "enable-debug-command", .kind = ConfigKind::choice, .flags = kFixed | kWorks,
     .choices = kAccess, .num = &Config::enable_debug_command,
     .about = "Who may use DEBUG: no = nobody, local = clients of this machine."},
    choice("enable-module-command", 0, kAccess, kFixed,
        "Who may use MODULE."),
    yes_no("set-proc-title", true, kFixed,
        "Show the address and mode in the process title."),
    {.name = "proc-title-template", .kind = ConfigKind::text,
     .text = "{title} {listen-addr} {server-mode}", .check = check_title_template,
     .about = "What the process title is made of."},
    yes_no("always-show-logo", false, kFixed,
        "Draw the logo at start even if the log is not a terminal."),
    text("ignore-warnings", "", 0,
        "Names of start-up warnings to leave out."),
    text("server_cpulist", "", kFixed,
        "CPUs for the server's threads, as 0-3,7."),
    text("bio_cpulist", "", kFixed,
        "CPUs for background threads."),
    text("aof_rewrite_cpulist", "", kFixed,
        "CPUs for rewriting the append-only file."),
    text("bgsave_cpulist", "", kFixed,
        "CPUs for background saves."),
    choice("oom-score-adj", 0, kOomAdjust, 0,
        "Tell the kernel which of our processes to kill first when memory runs out."),
    special(ConfigKind::oom_values, "oom-score-adj-values", "0 200 800", kList,
        "Scores for the roles master, replica and background child, each from -2000 to 2000."),
    integer("shutdown-timeout", 10, 0, kInt, 0,
        "Seconds that a shutdown waits for replicas to catch up."),
    {.name = "shutdown-on-sigint", .kind = ConfigKind::choice_set, .flags = kList,
     .choices = kShutdown, .about = "Options of the shutdown that SIGINT asks for."},
    {.name = "shutdown-on-sigterm", .kind = ConfigKind::choice_set, .flags = kList,
     .choices = kShutdown, .about = "Options of the shutdown that SIGTERM asks for."},

    // Log and statistics.
    choice("loglevel", 2, kLogLevels, kWorks,
        "Least important lines that are still logged.", &Config::loglevel),
    choice("log-format", 0, kLogFormats, kWorks,
        "Shape of log lines: as Redis writes them, key=value pairs, or a JSON object each.",
        &Config::log_format),
    text("logfile", "", kFixed | kWorks,
        "File the log is appended to, opened again at SIGHUP; empty = standard output."),
    yes_no("syslog-enabled", false, kFixed | kWorks, "Log to the system logger as well."),
    text("syslog-ident", "redis", kFixed | kWorks, "Name in the system log."),
    choice("syslog-facility", 1, kFacilities, kFixed | kWorks, "Facility of the system log."),
    yes_no("crash-log-enabled", true, 0, "Log a report when the process crashes."),
    yes_no("crash-memcheck-enabled", true, 0, "Test the memory after a crash."),
    integer("slowlog-log-slower-than", 10000, -1, kLong, kWorks,
        "Microseconds above which a command enters the slow log; 0 = all, -1 = none.",
        &Config::slowlog_log_slower_than),
    integer("slowlog-max-len", 128, 0, kLong, kWorks,
        "Entries that the slow log keeps.", &Config::slowlog_max_len),
    integer("latency-monitor-threshold", 0, 0, kLong, kWorks,
        "Milliseconds above which an event enters the latency history; 0 = none does.",
        &Config::latency_monitor_threshold),
    yes_no("latency-tracking", true, kWorks,
        "Keep the distribution of each command's run time.", &Config::latency_tracking),
    special(ConfigKind::percentiles, "latency-tracking-info-percentiles", "50 99 99.9",
        kList | kWorks,
        "Percentiles of run times that INFO prints."),
    integer("acllog-max-len", 128, 0, kLong, kWorks,
        "Entries that the log of refused accesses keeps.", &Config::acllog_max_len),
    {.name = "notify-keyspace-events", .kind = ConfigKind::notify_events, .flags = kWorks,
     .num = &Config::notify_keyspace_events,
     .about = "Letters of the key events that are published; empty = none."},
    integer("busy-reply-threshold", 5000, 0, kLong, 0,
        "Milliseconds after which other clients are told that a script keeps the server busy.",
        nullptr, "lua-time-limit"),
    yes_no("lua-enable-deprecated-api", false, kFixed | kUnseen,
        "Offer scripts the Lua functions that Redis 7.0 took away."),

    // The monitoring port (python/rustypotato/monitor): the server alone reads these.
    integer("metrics-port", 0, 0, 65535, kFixed | kWorks,
        "TCP port of /metrics, /healthz, /readyz and the dashboard, over HTTP; 0 = none."),
    text("metrics-bind", "127.0.0.1", kFixed | kWorks,
        "Addresses the monitoring port listens on, with spaces between."),
    text("metrics-auth", "", kFixed | kSecret | kWorks,
        "user:password that the monitoring port asks for; empty = nobody is asked.", nullptr,
        check_user_password),
    text("metrics-auth-file", "", kFixed | kWorks,
        "File whose first line is that user:password, so that no process list shows it."),

    // Access control and encryption.
    text("aclfile", "", kFixed | kWorks, "File with the users of access control."),
    choice("acl-pubsub-default", 0, kPubsubDefault, kWorks,
        "Channels that a new user may use.", &Config::acl_pubsub_default),
    choice("sanitize-dump-payload", 0, kSanitize, 0,
        "Whose RESTORE payloads are checked deeply."),
    integer("tls-port", 0, 0, 65535, kWorks, "TCP port for encrypted connections; 0 = none.",
        &Config::tls_port),
    text("tls-cert-file", "", kWorks | kFile,
        "Certificate of the server, with those between it and the authority's behind it (PEM)."),
    text("tls-key-file", "", kWorks | kFile, "Private key of the certificate (PEM)."),
    text("tls-key-file-pass", "", kSecret | kWorks, "Password of the private key."),
    text("tls-client-cert-file", "", kFile, "Certificate for outgoing connections."),
    text("tls-client-key-file", "", kFile, "Private key for outgoing connections."),
    text("tls-client-key-file-pass", "", kSecret, "Password of that key."),
    text("tls-dh-params-file", "", kWorks | kFile, "Diffie-Hellman parameters, for old clients."),
    text("tls-ca-cert-file", "", kWorks | kFile,
        "Certificates of the authorities to trust, one file (PEM)."),
    text("tls-ca-cert-dir", "", kWorks | kFile,
        "Directory with the certificates of the authorities to trust, named by their hashes."),
    choice("tls-auth-clients", 1, kTlsClients, kWorks,
        "Whether clients must show a certificate; optional: one that is shown must be good.",
        &Config::tls_auth_clients),
    yes_no("tls-replication", false, 0, "Encrypt the connection to the master."),
    yes_no("tls-cluster", false, 0, "Encrypt the cluster bus."),
    text("tls-protocols", "", kWorks,
        "TLS versions to allow, of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3; empty = the last two."),
    text("tls-ciphers", "", kWorks, "Ciphers up to TLS 1.2, in OpenSSL's notation."),
    text("tls-ciphersuites", "", kWorks, "Ciphers of TLS 1.3."),
    yes_no("tls-prefer-server-ciphers", false, kWorks,
        "Prefer our order of ciphers to the client's.", &Config::tls_prefer_server_ciphers),
    yes_no("tls-session-caching", true, kWorks, "Let clients resume a TLS session.",
        &Config::tls_session_caching),
    integer("tls-session-cache-size", 20480, 0, kInt, kWorks, "TLS sessions kept; 0 = no limit.",
        &Config::tls_session_cache_size),
    integer("tls-session-cache-timeout", 300, 0, kInt, kWorks, "Seconds a TLS session is kept.",
        &Config::tls_session_cache_timeout),

    // Persistence.
    special(ConfigKind::save_points, "save", "3600 1 300 100 60 10000", kList | kWorks,
        "Pairs of seconds and changes: a snapshot is due after so many seconds with so many "
        "changes; "
        "empty = none."),
    text("dbfilename", "dump.rdb", kConfigProtected | kWorks, "Name of the snapshot file, inside dir.",
        nullptr, check_dbfilename),
    yes_no("rdbcompression", true, kWorks,
        "Compress strings in snapshots.", &Config::rdbcompression),
    yes_no("rdbchecksum", true, kFixed | kWorks,
        "Write and check a checksum of snapshots.", &Config::rdbchecksum),
    yes_no("rdb-del-sync-files", false, 0, "Delete snapshots that were made for replication only."),
    yes_no("rdb-save-incremental-fsync", true, 0,
        "Flush a snapshot to disk bit by bit while it is written."),
    yes_no("stop-writes-on-bgsave-error", true, kWorks,
        "Refuse writes after a failed snapshot.", &Config::stop_writes_on_bgsave_error),
    {.name = "appendonly", .kind = ConfigKind::boolean, .flags = kWorks, .upper = 1,
     .num = &Config::appendonly, .about = "Log every write, so that a restart finds it."},
    text("appendfilename", "appendonly.aof", kFixed | kWorks, "First part of the log's file names.", nullptr,
        check_appendfilename),
    text("appenddirname", "appendonlydir", kFixed | kWorks, "Directory of the log files, inside dir.",
        nullptr,
        check_appenddirname),
    choice("appendfsync", 1, kFsync, kWorks,
        "When the log is flushed to disk.", &Config::appendfsync),
    yes_no("no-appendfsync-on-rewrite", false, 0, "Do not flush the log while it is rewritten."),
    integer("auto-aof-rewrite-percentage", 100, 0, kInt, kWorks,
        "Percent of growth since the last rewrite at which the log is rewritten; 0 = never.", &Config::auto_aof_rewrite_percentage),
    memory("auto-aof-rewrite-min-size", 64 * kMb, 0, kWorks,
        "Bytes below which the log is not rewritten by itself.", &Config::auto_aof_rewrite_min_size),
    yes_no("aof-load-truncated", true, kWorks,
        "Start even if the end of the log is cut off.", &Config::aof_load_truncated),
    yes_no("aof-use-rdb-preamble", true, kWorks,
        "Begin a rewritten log with a snapshot.", &Config::aof_use_rdb_preamble),
    yes_no("aof-timestamp-enabled", false, kWorks,
        "Note times in the log.", &Config::aof_timestamp_enabled),
    yes_no("aof-rewrite-incremental-fsync", true, 0,
        "Flush a rewritten log to disk bit by bit while it is written."),
    yes_no("aof-disable-auto-gc", false, 0, "Keep log files that are no longer needed."),

    // Encodings of small collections.
    integer("hash-max-listpack-entries", 512, 0, kLong, kWorks,
        "Fields up to which a hash is stored compactly.", &Config::hash_max_listpack_entries, "hash-max-ziplist-entries"),
    memory("hash-max-listpack-value", 64, 0, kWorks,
        "Bytes of a field or value up to which a hash is stored compactly.", &Config::hash_max_listpack_value,
        "hash-max-ziplist-value"),
    integer("list-max-listpack-size", -2, INT_MIN, kInt, kWorks,
        "Elements of a list node, or -1 to -5 for nodes of 4 to 64 KiB.", &Config::list_max_listpack_size,
        "list-max-ziplist-size"),
    integer("list-compress-depth", 0, 0, kInt, 0,
        "Nodes at either end of a list that are not compressed; 0 = none is."),
    integer("set-max-intset-entries", 512, 0, kLong, kWorks,
        "Members up to which a set of integers is stored compactly.", &Config::set_max_intset_entries),
    integer("zset-max-listpack-entries", 128, 0, kLong, kWorks,
        "Members up to which a sorted set is stored compactly.", &Config::zset_max_listpack_entries,
        "zset-max-ziplist-entries"),
    memory("zset-max-listpack-value", 64, 0, kWorks,
        "Bytes of a member up to which a sorted set is stored compactly.", &Config::zset_max_listpack_value,
        "zset-max-ziplist-value"),
    memory("hll-sparse-max-bytes", 3000, 0, 0, "Bytes up to which a HyperLogLog stays sparse."),
    memory("stream-node-max-bytes", 4096, 0, 0, "Bytes of a stream node; 0 = no limit."),
    integer("stream-node-max-entries", 100, 0, kLong, 0, "Entries of a stream node; 0 = no limit."),

    // Replication.
    special(ConfigKind::replica_of, "replicaof", "", kFixed | kList,
        "Host and port of the master to copy.", "slaveof"),
    text("masteruser", "", kSecret, "User name for the master."),
    text("masterauth", "", kSecret, "Password for the master."),
    yes_no("replica-serve-stale-data", true, 0, "Answer while the master is away.", nullptr,
        "slave-serve-stale-data"),
    yes_no("replica-read-only", true, 0, "Refuse writes on a replica.", nullptr, "slave-read-only"),
    yes_no("replica-ignore-maxmemory", true, 0, "Leave eviction to the master.", nullptr,
        "slave-ignore-maxmemory"),
    yes_no("replica-ignore-disk-write-errors", false, 0,
        "Go on as a replica although the log cannot be written."),
    yes_no("replica-announced", true, 0, "Be listed by Sentinel."),
    integer("replica-priority", 100, 0, kInt, 0,
        "Lower is promoted first; 0 = never.", nullptr, "slave-priority"),
    text("replica-announce-ip", "", 0, "Address told to the master.", "slave-announce-ip"),
    integer("replica-announce-port", 0, 0, 65535, 0, "Port told to the master; 0 = the real one.",
        nullptr, "slave-announce-port"),
    integer("repl-timeout", 60, 1, kInt, 0, "Seconds of silence after which the link is given up."),
    integer("repl-ping-replica-period", 10, 1, kInt, 0, "Seconds between pings to replicas.",
        nullptr,
        "repl-ping-slave-period"),
    yes_no("repl-disable-tcp-nodelay", false, 0, "Send to replicas in fewer, later packets."),
    yes_no("repl-diskless-sync", true, 0, "Send a full sync without a file in between."),
    integer("repl-diskless-sync-delay", 5, 0, kInt, 0,
        "Seconds to wait for more replicas before a full sync."),
    integer("repl-diskless-sync-max-replicas", 0, 0, kInt, 0,
        "Waiting replicas at which a full sync starts early; 0 = never."),
    choice("repl-diskless-load", 0, kDisklessLoad, 0, "Load a full sync without a file in "
           "between."),
    {.name = "repl-backlog-size", .kind = ConfigKind::memory, .lower = 1, .upper = kLong,
     .number = kMb, .clamp_low = 16 * kKb,
     .about = "Bytes of writes kept for replicas that come back, 16 KiB or more."},
    integer("repl-backlog-ttl", 3600, 0, kLong, 0,
        "Seconds without replicas after which those bytes are freed; 0 = never."),
    integer("min-replicas-to-write", 0, 0, kInt, 0,
        "Replicas that must be in touch for writes to be taken; 0 = none.", nullptr,
        "min-slaves-to-write"),
    integer("min-replicas-max-lag", 10, 0, kInt, 0, "Seconds of silence that still count as in "
            "touch.",
        nullptr, "min-slaves-max-lag"),
    choice("propagation-error-behavior", 0, kPropagation, 0,
        "What to do when a write from the master fails here."),

    // Cluster.
    yes_no("cluster-enabled", false, kFixed, "Be a node of a cluster."),
    text("cluster-config-file", "nodes.conf", kFixed, "File in which the cluster keeps its state."),
    integer("cluster-port", 0, 0, 65535, kFixed, "Port of the cluster bus; 0 = port + 10000."),
    integer("cluster-node-timeout", 15000, 0, kLong, 0,
        "Milliseconds without answer after which a node counts as gone."),
    integer("cluster-replica-validity-factor", 10, 0, kInt, 0,
        "Node timeouts after which a replica is too old to be promoted; 0 = never.", nullptr,
        "cluster-slave-validity-factor"),
    integer("cluster-migration-barrier", 1, 0, kInt, 0,
        "Replicas a master keeps before one may move to another master."),
    yes_no("cluster-allow-replica-migration", true, 0, "Let replicas move to masters without any."),
    yes_no("cluster-replica-no-failover", false, 0, "Never promote this replica.", nullptr,
        "cluster-slave-no-failover"),
    yes_no("cluster-require-full-coverage", true, 0, "Refuse commands while a slot has no owner."),
    yes_no("cluster-allow-reads-when-down", false, 0, "Answer reads while the cluster is down."),
    yes_no("cluster-allow-pubsubshard-when-down", true, 0,
        "Allow shard channels while the cluster is down."),
    memory("cluster-link-sendbuf-limit", 0, 0, 0,
        "Bytes that may wait on a cluster link before it is closed; 0 = no limit."),
    text("cluster-announce-ip", "", 0, "Address told to other nodes."),
    integer("cluster-announce-port", 0, 0, 65535, 0, "Port told to other nodes."),
    integer("cluster-announce-tls-port", 0, 0, 65535, 0, "Encrypted port told to other nodes."),
    integer("cluster-announce-bus-port", 0, 0, 65535, 0, "Bus port told to other nodes."),
    text("cluster-announce-hostname", "", 0, "Host name told to other nodes.", nullptr,
        check_hostname),
    choice("cluster-preferred-endpoint-type", 0, kEndpoint, 0,
        "What clients are told as the address of a node."),

    // For Redis' own tests.
    integer("rdb-key-save-delay", 0, INT_MIN, kInt, kUnseen, "Microseconds to wait per saved key."),
    integer("key-load-delay", 0, INT_MIN, kInt, kUnseen, "Microseconds to wait per loaded key."),
    integer("loading-process-events-interval-bytes", 2 * kMb, 1024, kInt, kUnseen,
        "Bytes loaded between two looks at the clients."),
    integer("watchdog-period", 0, 0, kInt, kUnseen,
        "Milliseconds a command may block before a report is logged; 0 = never."),
    yes_no("use-exit-on-panic", false, kUnseen, "Exit instead of aborting on an internal error."),
};
// clang-format on

constexpr size_t kCount = sizeof kConfigRows / sizeof kConfigRows[0];
static_assert(kCount <= kConfigRowsMax, "raise kConfigRowsMax");

const size_t kConfigRowCount = kCount;

}  // namespace rp
