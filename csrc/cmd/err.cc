#include "cmd/err.h"

namespace rp {

Bytes err_text(Err e) {
    switch (e) {
        case Err::syntax: return "ERR syntax error";
        case Err::not_integer: return "ERR value is not an integer or out of range";
        case Err::not_float: return "ERR value is not a valid float";
        case Err::wrong_type:
            return "WRONGTYPE Operation against a key holding the wrong kind of value";
        case Err::no_such_key: return "ERR no such key";
        case Err::overflow: return "ERR increment or decrement would overflow";
        case Err::nan_or_inf: return "ERR increment would produce NaN or Infinity";
        case Err::string_too_long:
            return "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        case Err::oom: return "OOM command not allowed when used memory > 'maxmemory'.";
        case Err::db_out_of_range: return "ERR DB index is out of range";
        case Err::same_object: return "ERR source and destination objects are the same";
        case Err::no_auth: return "NOAUTH Authentication required.";
        case Err::exec_abort: return "EXECABORT Transaction discarded because of previous errors.";
        case Err::loading: return "LOADING Redis is loading the dataset in memory";
        case Err::no_memory: return "OOM the system has no memory for this value";
    }
    return "ERR";
}

void reply_err(Reply* out, Err e) { reply_error(out, err_text(e)); }

void reply_err_expire(Reply* out, const char* cmd_lower) {
    reply_errorf(out, "ERR invalid expire time in '%s' command", cmd_lower);
}

void reply_err_arity(Reply* out, const char* name_lower) {
    reply_errorf(out, "ERR wrong number of arguments for '%s' command", name_lower);
}

}  // namespace rp
