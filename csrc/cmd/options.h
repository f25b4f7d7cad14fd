// cmd/options.h: arguments that several families share: expiries, counted keys.
#pragma once
#include "cmd/ctx.h"

namespace rp {

enum class TimeUnit : uint8_t { seconds, milliseconds };

// `arg` as a point in time in ms since 1970. relative: counted from now. Replies not_integer or
// "invalid expire time in '<command>' command" and returns false; no overflow reaches the key.
bool arg_expiry(CmdCtx* c, Bytes arg, TimeUnit unit, bool relative, int64_t* out_ms);

// The tail of SET and GETEX. What was given, at most one of each pair (conflicts: syntax error).
struct SetOptions {
    bool nx = false, xx = false, get = false, keep_ttl = false, persist = false;
    bool has_expiry = false, relative = true;
    TimeUnit unit = TimeUnit::seconds;
    Bytes expiry;  // unparsed: Redis looks at the number only later
};
enum class SetFamily : uint8_t { set, getex };
bool arg_set_options(CmdCtx* c, Args argv, size_t from, SetFamily family, SetOptions* out);

// "numkeys key [key ...]" with numkeys at argv[at]: *out keys follow, all of them are there. What
// the number may be and which error says that it is not depends on the command:
enum class Numkeys : uint8_t {
    pop,      // LMPOP, ZMPOP: >= 1, and one more argument follows the keys
    card,     // SINTERCARD: >= 1
    combine,  // ZUNION, ZINTER, ZDIFF, their STOREs, ZINTERCARD: >= 1
};
bool arg_numkeys(CmdCtx* c, Args argv, size_t at, Numkeys kind, size_t* out);

}  // namespace rp
