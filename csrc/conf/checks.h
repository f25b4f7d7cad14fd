// conf/checks.h: what a value of a row must obey beyond its kind and bounds. Each gives the error
// text (Redis' wording where Redis has the check) or null: fine.
#pragma once
#include "base/bytes.h"

namespace rp {

const char* check_dbfilename(Bytes value);
const char* check_appendfilename(Bytes value);
const char* check_appenddirname(Bytes value);
const char* check_hostname(Bytes value);
const char* check_title_template(Bytes value);
// "user:password", or nothing.
const char* check_user_password(Bytes value);
// Not to be turned on here.
const char* check_activedefrag(Bytes value);

}  // namespace rp
