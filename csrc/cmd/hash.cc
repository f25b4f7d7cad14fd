#include "cmd/families.h"

namespace rp {

const Cmd kHashCmds[] = {
    {},
};

}  // namespace rp
