// engine/step_out.h: for commands that may take long and touch no key: out of the gate, so that
// memory is freed and the gate can be closed meanwhile.
#pragma once
#include "cmd/dispatch.h"

namespace rp {

// While it lives, nothing of the tables may be looked at. Inside EXEC, which holds locks, it does
// nothing.
struct StepOut {
    explicit StepOut(CmdCtx* c) : ctx(c) {
        if (!ctx->a.locked) ctx_leave(ctx);
    }
    ~StepOut() {
        if (!ctx->a.locked) ctx_enter(ctx);
    }
    StepOut(const StepOut&) = delete;
    StepOut& operator=(const StepOut&) = delete;
    CmdCtx* ctx;
};

}  // namespace rp
