#include "cmd/families.h"

namespace rp {

const Cmd kZsetCmds[] = {
    {},
};

}  // namespace rp
