// cmd/ctx.h: what a command function gets besides its arguments.
#pragma once
#include "cmd/err.h"
#include "cmd/session.h"
#include "conf/config.h"
#include "store/db.h"

namespace rp {

struct CmdCtx {
    Session* session = nullptr;
    Engine* engine = nullptr;  // opaque below engine/
    Store* store = nullptr;
    Config* config = nullptr;
    const Cmd* row = nullptr;
    const Cmd* parent = nullptr;  // the container, when row is a subcommand
    Access a;                     // keys: store/db.h
    Reply* out = nullptr;
    Blob* big = nullptr;  // holds argv[big_index] whole: adopt by blob_ref
    size_t big_index = 0;
    Worker* worker = nullptr;
    bool in_exec = false;
    bool exec_writes = false;    // an EXEC with a write in its queue is about to run
    bool effect_said = false;    // out: the log has it in better words than argv (cmd/effect.h)
    bool ran = false;            // out: neither refused nor queued
    bool request_close = false;  // out: QUIT, CLIENT KILL of oneself
};

// Argument helpers. Each replies the error itself and returns false.
bool arg_i64(CmdCtx* c, Bytes arg, int64_t* out);  // not_integer
bool arg_i64_range(CmdCtx* c, Bytes arg, int64_t low, int64_t high, int64_t* out,
                   const char* message);  // message null: not_integer
// A 32-bit number, with the text Redis gives for one that is out of that range.
bool arg_i32(CmdCtx* c, Bytes arg, int32_t* out);
// A database number: "DB index is out of range" beyond it.
bool arg_db(CmdCtx* c, Bytes arg, uint32_t* out);
// The longest argument or value: proto-max-bulk-len, as far as an entry can hold it.
constexpr size_t kValueMax = UINT32_MAX;
inline size_t value_max(const Config* config) {
    auto limit = static_cast<size_t>(config_num(config->proto_max_bulk_len));
    return limit < kValueMax ? limit : kValueMax;
}
// Between slices of a long keyless read (KEYS): lets epochs and the gate go on. Pointers into the
// table are void afterwards. Does nothing while the keys are locked (inside EXEC).
void ctx_breathe(CmdCtx* c);
inline bool arg_is(Bytes arg, Bytes word) { return bytes_equal_nocase(arg, word); }
// The blob behind argv[i], if it came in one.
inline Blob* arg_blob(const CmdCtx* c, size_t i) { return c->big_index == i ? c->big : nullptr; }
// Lower-case name as Redis writes it in errors: "client|kill" for subcommands. Static storage per
// row.
size_t cmd_full_name(const Cmd* parent, const Cmd* row, char out[64]);

// A reply whose length is not known when it starts: write items into `part`, then finish.
struct DeferredArray {
    Out out;
    Reply reply;
    size_t items = 0;
};
void deferred_start(DeferredArray* d, const Reply* like);
void deferred_finish_array(DeferredArray* d, Reply* out);
void deferred_finish_set(DeferredArray* d, Reply* out);
void deferred_finish_map(DeferredArray* d, Reply* out);  // items counts pairs

// A string entry as a bulk reply: integers as digits, blobs by reference. False: the entry needs
// the lock (db_value); the command must return at once.
bool reply_entry(CmdCtx* c, const Entry* e, Reply* out);

// Looks `key` up for reading as a value of `type`; null: absent (*out is then empty), WRONGTYPE
// (replied; *failed) or it needs the lock (*failed): a command returns at once when failed.
const Entry* read_value(CmdCtx* c, Bytes key, Type type, Value* out, bool* failed);

// HELP replies of containers: lines from the subcommand rows, in Redis' layout.
void reply_help(CmdCtx* c, const char* const* lines, size_t count);
// What a subcommand whose row lets more arguments pass than it takes says of them.
void reply_err_subcommand(CmdCtx* c, Args argv);

}  // namespace rp
