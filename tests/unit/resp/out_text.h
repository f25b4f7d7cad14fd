// What an Out holds, as a string; it is empty afterwards.
#pragma once
#include <string>

#include "resp/out.h"

namespace rp {

inline std::string out_text(Out* take) {
    std::string text(take->bytes, '\0');
    out_copy(take, text.data());
    out_clear(take);
    return text;
}

}  // namespace rp
