// conf/split_args.h: splits a line into arguments as redis.conf and inline commands are written:
// bare words, "double quoted" with \n \r \t \b \a \xHH and \<any byte>, 'single quoted' with \'
// only.
//
// Nothing is allocated. A decoded argument is never longer than its source, so it may be written
// over the line itself: out == rest->ptr of the same call (or any earlier byte of the line) is
// fine.
//
//   Bytes rest = line;
//   for (;;) {
//       size_t len;
//       switch (split_args_next(&rest, out, &len)) {
//           case SplitArg::arg: use({out, len}); out += len; continue;
//           case SplitArg::end: return done();
//           case SplitArg::unbalanced: return refuse();
//       }
//   }
#pragma once
#include "base/bytes.h"

namespace rp {

enum class SplitArg : uint8_t {
    arg,         // one more argument: *len bytes at out, possibly 0
    end,         // nothing but white space was left; a NUL byte also ends the line, as in Redis
    unbalanced,  // an open quote, or a closing quote with something other than white space behind
                 // it
};

// Takes one argument off the front of *rest. `out` (borrowed) has room for rest->len bytes.
SplitArg split_args_next(Bytes* rest, char* out, size_t* len);

}  // namespace rp
