// cmd/err.h: error replies. Texts that several commands share, in Redis' exact wording.
#pragma once
#include "resp/reply.h"

namespace rp {

struct CmdCtx;

enum class Err : uint8_t {
    syntax,           // ERR syntax error
    not_integer,      // ERR value is not an integer or out of range
    not_float,        // ERR value is not a valid float
    wrong_type,       // WRONGTYPE Operation against a key holding the wrong kind of value
    no_such_key,      // ERR no such key
    overflow,         // ERR increment or decrement would overflow
    nan_or_inf,       // ERR increment would produce NaN or Infinity
    string_too_long,  // ERR string exceeds maximum allowed size (proto-max-bulk-len)
    oom,              // OOM command not allowed when used memory > 'maxmemory'.
    db_out_of_range,  // ERR DB index is out of range
    same_object,      // ERR source and destination objects are the same
    no_auth,          // NOAUTH Authentication required.
    exec_abort,       // EXECABORT Transaction discarded because of previous errors.
    loading,          // LOADING Redis is loading the dataset in memory
    no_memory,        // OOM ... the system has no memory for this value
};
Bytes err_text(Err e);
void reply_err(Reply* out, Err e);
// ERR invalid expire time in 'set' command
void reply_err_expire(Reply* out, const char* cmd_lower);
// ERR wrong number of arguments for 'get' command
void reply_err_arity(Reply* out, const char* name_lower);

}  // namespace rp
