#include "cmd/families.h"

namespace rp {

const Cmd kSetCmds[] = {
    {},
};

}  // namespace rp
