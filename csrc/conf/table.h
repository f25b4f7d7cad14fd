// conf/table.h: the rows themselves, for conf/rows.cc only; everyone else uses conf/rows.h.
#pragma once
#include "conf/rows.h"

namespace rp {

extern const ConfigRow kConfigRows[];
extern const size_t kConfigRowCount;

}  // namespace rp
