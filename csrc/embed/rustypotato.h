/* embed/rustypotato.h: the one public C header. Open a store, run commands, serve it, close it.
 *
 *     rp_store* store;
 *     rp_session* session;
 *     rp_reply reply;
 *     rp_bytes get[] = {{"GET", 3}, {"key", 3}};
 *     char* error;
 *     if (rp_open(0, NULL, 0, &store, &error) != RP_OK) ...      error: one line, free() it
 *     rp_session_here(store, 2, &session);                        the calling thread's own
 *     if (rp_execute(session, 2, get, &reply) == RP_OK) ...       reply.first: "$5\r\nvalue\r\n"
 *     rp_free(store);
 *
 * Threads  every function may be called from any thread at any time, rp_close included, except
 *          that one rp_session is used by one thread at a time and nothing follows rp_free.
 * Errors   functions return RP_OK or a negative code (rp_status_text). Where there is a
 *          `char** error` it becomes a line for the user on failure: free() it.
 * Replies  are RESP bytes exactly as the server would send them (RESP2 or RESP3, per session).
 * Fork     in a child every call on an inherited store returns RP_FOREIGN and touches nothing: the
 *          memory, the sockets and the threads are the parent's. The child may open its own stores.
 * Limits   an argument may have proto-max-bulk-len bytes, and less than 4 GiB; a longer one gets
 *          an error reply.
 */
#ifndef RUSTYPOTATO_H
#define RUSTYPOTATO_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_store rp_store;
typedef struct rp_session rp_session;
typedef struct {
    const char* ptr;
    size_t len;
} rp_bytes;

enum {
    RP_BUSY = 1, /* rp_try_execute: not run, because it might take long */
    RP_OK = 0,
    RP_INVALID = -1, /* bad argument or setting */
    RP_NO_MEMORY = -2,
    RP_CLOSED = -3,
    RP_FOREIGN = -4, /* inherited through fork() */
    RP_IN_USE = -5,  /* address in use */
    RP_IO = -6,
    RP_DATA = -7, /* the data could not be brought back, or their directory is in use */
    RP_CUT = -8   /* a subscriber did not take its messages: it gets no more of them */
};
/* One line of static text. */
const char* rp_status_text(int status);

/* ---- a store ---------------------------------------------------------------------------- */

enum {
    RP_USE_ENVIRONMENT = 1, /* read RUSTYPOTATO_* too */
    /* This process is the server: log to standard output or `logfile`, enter `dir`. Without it
     * nothing is logged unless argv sets `logfile`, and the working directory stays. The log is one
     * per process. */
    RP_SERVER = 2,
    /* Without RP_SERVER and `logfile`: what would be logged waits for rp_log_take. */
    RP_LOG_QUEUE = 4
};
/* argv: settings in redis-server grammar ("redis.conf", "--port", "7000", ...). *out: owned by the
 * caller until rp_free. Starts no thread, unless `appendonly` is yes: then `dir` is locked, loaded
 * and logged to. */
int rp_open(int argc, const char* const* argv, unsigned flags, rp_store** out, char** error);
/* Stops serving, waits for calls under way, forgets the data. Idempotent; what comes later gets
 * RP_CLOSED. Must not be called from inside another call on the same store (a signal handler). */
void rp_close(rp_store* store);
/* With RP_SERVER only: brings back what the directory holds, while rp_listen may already answer
 * -LOADING. Without it rp_open has done so. RP_CLOSED: rp_request_stop came in between. */
int rp_load(rp_store* store, char** error);
/* rp_close, then gives up the handle. Sessions may outlive it: they say RP_CLOSED. */
void rp_free(rp_store* take);
/* Is the store usable here: RP_OK, RP_CLOSED or RP_FOREIGN. */
int rp_check(const rp_store* store);

/* ---- serving ---------------------------------------------------------------------------- */

typedef struct {
    int port;               /* -1 = as set, 0 = any free one */
    const char* bind;       /* addresses with spaces between; NULL = as set */
    const char* unixsocket; /* path; NULL = as set */
} rp_address;
/* Starts io-threads loops and accepts connections. *port = the TCP port in use, 0 without one.
 * One at a time: RP_INVALID while the store is already being served. */
int rp_listen(rp_store* store, const rp_address* address, int* port, char** error);
/* Stops accepting, finishes what runs, closes connections, joins the loops. Idempotent. The store
 * lives on and may be served again. */
int rp_stop(rp_store* store);
/* Waits until SHUTDOWN or rp_request_stop, for at most timeout_ms, or until a signal handler ran:
 * 1 = a stop was asked for, 0 = not yet, negative = RP_CLOSED or RP_FOREIGN. */
int rp_wait_stop(rp_store* store, int timeout_ms);
/* Before a stop that a signal asked for: the log is synced, the last snapshot written, as the
 * settings want it; writes of network clients wait meanwhile, and from then on. RP_DATA: that
 * failed (the log says why), and the store goes on as before. SHUTDOWN has done this itself. */
int rp_prepare_stop(rp_store* store);
/* Makes rp_wait_stop return 1 and the loops begin to stop; returns at once. Not for signal
 * handlers. */
int rp_request_stop(rp_store* store);

/* ---- commands --------------------------------------------------------------------------- */

/* A conversation: its database, protocol (2 or 3), MULTI and WATCH. *out: the caller's until
 * rp_session_close. */
int rp_session_open(rp_store* store, int protocol, rp_session** out);
/* For a session that watches the store: CLIENT PAUSE ALL does not hold back commands of it that
 * write nothing. */
void rp_session_observe(rp_session* session);
/* Null is fine. */
void rp_session_close(rp_session* take);
/* The calling thread's own session, made with `protocol` on first use and freed when the thread
 * ends. Borrowed; never to be used by another thread nor closed. Quick: one comparison after the
 * first time, so that it is the next command which says RP_CLOSED or RP_FOREIGN. */
int rp_session_here(rp_store* store, int protocol, rp_session** out);

/* A reply: mostly one piece. Large values are pieces of their own, referenced and not copied. */
typedef struct {
    rp_bytes first;
    size_t total;     /* bytes of all pieces */
    const void* next; /* null: `first` is everything */
} rp_reply;
/* The piece at `next`; returns the `next` behind it, null after the last one. */
const void* rp_reply_piece(const void* next, rp_bytes* piece);

/* Runs one command (argc >= 1) and waits as long as it takes. *reply stays valid until the next
 * call on this session; an empty reply (total 0) means that none is sent: CLIENT REPLY OFF,
 * SHUTDOWN. */
int rp_execute(rp_session* session, size_t argc, const rp_bytes* argv, rp_reply* reply);

enum {
    RP_IF_QUICK = 0, /* if the command's row says that it is fast */
    RP_IS_QUICK = 1  /* the caller knows that it is: a few keys, no scan */
};
/* The same, unless it might keep the caller waiting (CLIENT PAUSE, FLUSHALL elsewhere, eviction,
 * much to copy, a slow command): then RP_BUSY, and nothing has been run. For callers that hold a
 * lock such as Python's. */
int rp_try_execute(rp_session* session, int hint, size_t argc, const rp_bytes* argv,
                   rp_reply* reply);

/* Drops the last reply now and not at the next call. Quick when it is small. */
void rp_reply_drop(rp_session* session);
/* Takes the last reply away from the session, so that the session may be used while the reply is
 * read. Pieces stay where they are; free with rp_held_free. */
typedef struct rp_held rp_held;
rp_held* rp_reply_hold(rp_session* session);
void rp_held_free(rp_held* take);

/* ---- messages --------------------------------------------------------------------------- */

/* A session that may subscribe. What its commands say and the messages that come are one stream of
 * RESP (pushes, with protocol 3), in order; whoever owns it takes it from there. No thread of the
 * store calls back: it makes a descriptor readable.
 *
 *     rp_subscriber_open(store, 3, 1 << 20, &session);
 *     rp_subscriber_run(session, 2, {"SUBSCRIBE", "news"});
 *     poll() for rp_subscriber_fd(session), then
 *     rp_subscriber_take(session, &reply);          everything that waits; total 0: nothing
 *
 * At most bytes_max wait (0: the default, 32 MiB); a subscriber that lets more come is cut off:
 * once it has taken what there was, it is told RP_CUT. Close with rp_session_close, which closes
 * the descriptor. */
int rp_subscriber_open(rp_store* store, int protocol, size_t bytes_max, rp_session** out);
/* Readable while something may wait, and when the store closes. Not to be read from. */
int rp_subscriber_fd(const rp_session* session);
/* SUBSCRIBE, UNSUBSCRIBE and their kin, and PING; RP_INVALID for other commands. */
int rp_subscriber_run(rp_session* session, size_t argc, const rp_bytes* argv);
/* Does not wait. *reply stays valid until the next call on this session. */
int rp_subscriber_take(rp_session* session, rp_reply* reply);

/* ---- files without a store -------------------------------------------------------------- */

/* A data directory and the names in it; NULL = those of the settings' defaults. */
typedef struct {
    const char* dir;
    const char* appenddirname;  /* "appendonlydir" */
    const char* appendfilename; /* "appendonly.aof" */
    const char* dbfilename;     /* "dump.rdb" */
} rp_places;

enum {
    RP_FOUND_OK,
    RP_FOUND_TORN_TAIL, /* rp_fix_files may cut it */
    RP_FOUND_CHECKSUM,
    RP_FOUND_SYNTAX,
    RP_FOUND_MISSING,
    RP_FOUND_UNREADABLE,
    RP_FOUND_NOTE /* no fault */
};
/* Texts are borrowed for the call. */
typedef struct {
    int kind;
    const char* kind_text; /* "torn tail" */
    const char* file;
    int64_t offset; /* -1: of the file as a whole */
    const char* text;
    const char* advice; /* "" when there is nothing to do */
} rp_finding;
typedef struct {
    void* arg;
    void (*finding)(void* arg, const rp_finding* finding);     /* may be NULL */
    int (*progress)(void* arg, uint64_t done, uint64_t total); /* may be NULL; != 0 stops */
} rp_finder;

enum { RP_FILES_GOOD = 0, RP_FILES_TORN = 1, RP_FILES_DAMAGED = 2 };
/* Reads all files of a directory and tells what it found of each. RP_FILES_TORN: nothing but what
 * rp_fix_files can cut. */
int rp_check_files(const rp_places* places, const rp_finder* finder);
/* Cuts a torn tail, and nothing when there is other damage; keeps what it cuts beside the file.
 * RP_IN_USE when a server uses the directory. Each cut is a finding (RP_FOUND_NOTE). */
int rp_fix_files(const rp_places* places, const rp_finder* finder, char** error);

/* The files of the log as its manifest names them: kind 'b' (base), 'i' (increment), 'h' (history,
 * to be deleted). Visits nothing when there is no log. */
int rp_log_files(const rp_places* places, void (*visit)(void* arg, const char* name, int kind),
                 void* arg, char** error);
/* Takes a directory for this process, as a server does. *lock: to be given to rp_unlock_dir. */
int rp_lock_dir(const char* dir, int* lock, char** error);
void rp_unlock_dir(int lock);

/* ---- the log ---------------------------------------------------------------------------- */

enum { RP_LOG_DEBUG_LEVEL, RP_LOG_VERBOSE_LEVEL, RP_LOG_NOTICE_LEVEL, RP_LOG_WARNING_LEVEL };
typedef struct {
    int level;
    int64_t time_ms; /* since 1970 */
    uint64_t lost;   /* lines that came before this one and found no room */
    size_t len;
    char text[1024]; /* without control bytes */
} rp_log_line;
/* Waits for a line for at most timeout_ms (0: not at all): 1 = *line is filled, 0 = there was none,
 * or rp_log_wake was called. The lines are the process', not one store's. */
int rp_log_take(rp_log_line* line, int timeout_ms);
/* Whether lines wait for rp_log_take at all; if not, it returns 0 at once. */
int rp_log_queued(void);
void rp_log_wake(void);
/* Opens `logfile` again by its name, after it was moved away. */
int rp_log_reopen(char** error);
/* A line of the host program. */
void rp_log_say(int level, const char* text);

/* One setting as a store opened with the same argv and flags would have it (free()); null: an
 * error, or no such setting. "-" in argv reads standard input. */
char* rp_setting(int argc, const char* const* argv, unsigned flags, const char* name, char** error);

/* ---- about ------------------------------------------------------------------------------ */

/* For docs (free()): "commands" and "configuration" are Markdown, "redis.conf" is a file with every
 * setting; null for other words. */
char* rp_docs(const char* which);
const char* rp_version(void);       /* of RustyPotato */
const char* rp_redis_version(void); /* of the Redis whose behaviour it keeps */

#ifdef __cplusplus
}
#endif
#endif
