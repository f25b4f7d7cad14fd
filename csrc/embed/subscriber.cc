// embed/subscriber.cc: sessions that subscribe from inside the process. Their mailbox is drained
// when they take their messages; the first message into an empty one makes the eventfd readable.
#include <sys/eventfd.h>
#include <unistd.h>

#include "embed/store.h"

using namespace rp;

constexpr size_t kBytesMaxDefault = 32 * 1024 * 1024;

static void wake(void* arg) {
    uint64_t one = 1;
    // It cannot fail but when 2^64 wakes are unread: then it is readable already.
    if (write(static_cast<rp_session*>(arg)->event_fd, &one, sizeof one) < 0) return;
}

static rp_session* session_of(Session* s) {
    return reinterpret_cast<rp_session*>(reinterpret_cast<char*>(s) -
                                         offsetof(rp_session, session));
}

// Confirmations that nobody takes are bounded as messages are.
static void bound(Session* s) {
    if (s->out.bytes >= session_of(s)->bytes_max) s->cut = true;
}

static void cut(Session*) {}  // Session.cut is set: the owner is told when it takes

namespace rp {

void subscriber_init(rp_session* s, int event_fd, size_t bytes_max) {
    s->event_fd = event_fd;
    s->bytes_max = bytes_max != 0 ? bytes_max : kBytesMaxDefault;
    s->messages.wake = wake;
    s->messages.wake_arg = s;
    s->messages.pushed = bound;
    s->messages.cut = cut;
    s->messages.hard_bytes = s->bytes_max;
    s->session.mailbox = &s->messages;
}

void subscriber_wake(rp_session* s) { wake(s); }

void subscriber_deinit(rp_session* s) {
    mailbox_deinit(&s->messages);
    close(s->event_fd);
}

}  // namespace rp

int rp_subscriber_open(rp_store* store, int protocol, size_t bytes_max, rp_session** out) {
    *out = nullptr;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return RP_IO;
    int code = session_make(store, protocol, fd, bytes_max, out);
    if (code != RP_OK) close(fd);
    return code;
}

int rp_subscriber_fd(const rp_session* s) { return s->event_fd; }

// What was handed out is given up.
static void drop_taken(rp_session* s) {
    if (s->taken) out_clear(&s->session.out);
    s->taken = false;
}

int rp_subscriber_run(rp_session* s, size_t argc, const rp_bytes* argv) {
    if (s->event_fd < 0 || argc == 0) return RP_INVALID;
    CmdRef ref = command_find({argv[0].ptr, argv[0].len});
    constexpr uint8_t kListens = kChannelSubscribe | kChannelUnsubscribe;
    bool listens = ref.row != nullptr && (ref.row->channels.flags & kListens);
    if (!listens && (ref.row == nullptr || strcmp(ref.row->name, "PING") != 0)) return RP_INVALID;
    int code = session_enter(s);
    if (code != RP_OK) return code;
    drop_taken(s);
    code = session_run(s, argc, argv);
    bound(&s->session);
    wake(s);
    session_leave(s);
    return code;
}

int rp_subscriber_take(rp_session* s, rp_reply* reply) {
    *reply = {};
    if (s->event_fd < 0) return RP_INVALID;
    int code = session_enter(s);
    if (code != RP_OK) return code;
    uint64_t wakes;
    // First: what is posted behind it wakes again.
    if (read(s->event_fd, &wakes, sizeof wakes) < 0) wakes = 0;
    drop_taken(s);
    mailbox_drain(&s->messages);
    if (s->session.out.head != nullptr) {
        *reply = reply_of(&s->session.out);
        s->taken = true;
    } else if (s->session.cut) {
        code = RP_CUT;
    }
    session_leave(s);
    return code;
}
