#include "cmd/families.h"

namespace rp {

const Cmd kListCmds[] = {
    {},
};

}  // namespace rp
