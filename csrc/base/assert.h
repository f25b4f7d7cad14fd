// base/assert.h: RP_ASSERT stays on in release builds (cheap checks that stop a bug before it
// spreads); RP_DCHECK is for checks that cost, in debug builds only.
#pragma once

namespace rp {
[[noreturn]] void assert_failed(const char* expr, const char* file, int line);
}

#define RP_ASSERT(e)                                   \
    (__builtin_expect(!!(e), 1) ? static_cast<void>(0) \
                                : ::rp::assert_failed(#e, __FILE__, __LINE__))

#ifdef NDEBUG
// Not evaluated, but its names count as used.
#define RP_DCHECK(e) static_cast<void>(sizeof(!(e)))
#else
#define RP_DCHECK(e) RP_ASSERT(e)
#endif

#define RP_LIKELY(x) __builtin_expect(!!(x), 1)
#define RP_UNLIKELY(x) __builtin_expect(!!(x), 0)
