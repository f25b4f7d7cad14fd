#include "store/notify.h"

namespace rp {

void notify_slow(Access* a, Bytes event, Bytes key) {
    // What the log brings back has been told when it happened.
    if (a->replay || a->store->on_event == nullptr) return;
    a->store->on_event(a->store->on_event_arg, a->db, event, key);
}

}  // namespace rp
