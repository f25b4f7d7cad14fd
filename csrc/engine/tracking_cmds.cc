// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO; their rows are in client.cc.
#include <algorithm>

#include "engine/tracking.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kShownMax = 128;  // bytes of a prefix that an error repeats

static uint32_t modes_of(const Session* s) { return s->tracking.load(std::memory_order_relaxed); }

// ---- arguments --------------------------------------------------------------------------------

// The wish, and its prefixes at the front of `room` (one place per argument).
struct Wish {
    TrackingWish w;
    Bytes* room;
};

static bool parse_redirect(CmdCtx* c, Bytes arg, TrackingWish* w) {
    if (w->redirect != 0) {
        reply_error(c->out, "ERR A client can only redirect to a single other client");
        return false;
    }
    if (!arg_i64(c, arg, &w->redirect)) return false;
    if (tracking_finds_client(c->engine->tracking, w->redirect)) return true;
    reply_error(c->out, "ERR The client ID you want redirect to does not exist");
    return false;
}

static uint32_t flag_of(Bytes arg) {
    if (arg_is(arg, "bcast")) return kTrackingBcast;
    if (arg_is(arg, "optin")) return kTrackingOptin;
    if (arg_is(arg, "optout")) return kTrackingOptout;
    if (arg_is(arg, "noloop")) return kTrackingNoloop;
    return 0;
}

static bool parse_options(CmdCtx* c, Args argv, Wish* out) {
    for (size_t i = 3; i < argv.len; i++) {
        bool more = i + 1 < argv.len;
        uint32_t flag = flag_of(argv[i]);
        if (flag != 0) {
            out->w.flags |= flag;
        } else if (arg_is(argv[i], "redirect") && more) {
            if (!parse_redirect(c, argv[++i], &out->w)) return false;
        } else if (arg_is(argv[i], "prefix") && more) {
            out->room[out->w.prefix_count++] = argv[++i];
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    out->w.prefixes = out->room;
    return true;
}

// What cannot be had together, or not in the mode that is on.
static const char* conflict(uint32_t now, const TrackingWish* w) {
    bool bcast = (w->flags & kTrackingBcast) != 0;
    bool in = (w->flags & kTrackingOptin) != 0, out = (w->flags & kTrackingOptout) != 0;
    if (!bcast && w->prefix_count != 0) {
        return "ERR PREFIX option requires BCAST mode to be enabled";
    }
    if ((now & kTrackingOn) && bcast != ((now & kTrackingBcast) != 0)) {
        return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    }
    if (bcast && (in || out)) return "ERR OPTIN and OPTOUT are not compatible with BCAST";
    if (in && out) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
    if ((in && (now & kTrackingOptout)) || (out && (now & kTrackingOptin))) {
        return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    }
    return nullptr;
}

// ---- prefixes ---------------------------------------------------------------------------------

static bool overlap(Bytes a, Bytes b) {
    size_t len = std::min(a.len, b.len);
    return len == 0 || memcmp(a.ptr, b.ptr, len) == 0;
}

static int shown(Bytes b) { return static_cast<int>(std::min(b.len, kShownMax)); }

// Of this session alone, which may look without a lock.
static const Member* members_of(CmdCtx* c) {
    Tracking* t = c->engine->tracking;
    MutexGuard guard(&t->lock);
    const Party* p = tracking_party(t, c->session->id);
    return p != nullptr ? p->members : nullptr;
}

// By their text. The caller frees `*count` of them.
static Bytes* sorted_prefixes(CmdCtx* c, size_t* count) {
    size_t n = 0;
    const Member* first = members_of(c);
    for (const Member* m = first; m != nullptr; m = m->next_of_party)
        n++;
    auto* all = static_cast<Bytes*>(mem_alloc(n * sizeof(Bytes)));
    n = 0;
    for (const Member* m = first; m != nullptr; m = m->next_of_party)
        all[n++] = m->prefix->bytes();
    std::sort(all, all + n, tracking_before);
    *count = n;
    return all;
}

static bool refuse(CmdCtx* c, Bytes prefix, const char* what, Bytes other) {
    reply_errorf(c->out,
                 "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a single client "
                 "must not overlap.",
                 shown(prefix), prefix.ptr, what, shown(other), other.ptr);
    return false;
}

static bool check_prefixes(CmdCtx* c, const TrackingWish* w) {
    size_t n;
    Bytes* mine = sorted_prefixes(c, &n);
    bool fine = true;
    for (size_t i = 0; fine && i < w->prefix_count; i++) {
        Bytes one = w->prefixes[i];
        for (size_t j = 0; fine && j < n; j++) {
            if (overlap(mine[j], one)) fine = refuse(c, one, "an existing", mine[j]);
        }
        for (size_t j = i + 1; fine && j < w->prefix_count; j++) {
            if (overlap(one, w->prefixes[j])) {
                fine = refuse(c, one, "another provided", w->prefixes[j]);
            }
        }
    }
    mem_free(mine, n * sizeof(Bytes));
    return fine;
}

// ---- CLIENT TRACKING --------------------------------------------------------------------------

static void turn_on(CmdCtx* c, const TrackingWish* w) {
    const char* why = conflict(modes_of(c->session), w);
    if (why != nullptr) return reply_error(c->out, bytes_of(why));
    if ((w->flags & kTrackingBcast) && !check_prefixes(c, w)) return;
    switch (tracking_start(c->engine->tracking, c->session, w)) {
        case Started::yes: return reply_ok(c->out);
        case Started::no_target:
            return reply_error(c->out, "ERR The client ID you want redirect to does not exist");
        case Started::deaf_target:
            return reply_error(c->out,
                               "ERR The client ID you want redirect to is a session in the "
                               "server's process, which gets no invalidation messages");
        case Started::deaf:
            return reply_error(c->out,
                               "ERR CLIENT TRACKING needs REDIRECT here: a session in the "
                               "server's process gets no invalidation messages");
    }
}

void cmd_client_tracking(CmdCtx* c, Args argv, Reply* out) {
    Wish wish = {{}, static_cast<Bytes*>(mem_try_alloc(argv.len * sizeof(Bytes)))};
    if (wish.room == nullptr) return reply_err(out, Err::no_memory);
    if (parse_options(c, argv, &wish)) {
        if (arg_is(argv[2], "on")) {
            turn_on(c, &wish.w);
        } else if (arg_is(argv[2], "off")) {
            tracking_stop(c->engine->tracking, c->session);
            reply_ok(out);
        } else {
            reply_err(out, Err::syntax);
        }
    }
    mem_free(wish.room, argv.len * sizeof(Bytes));
}

void cmd_client_caching(CmdCtx* c, Args argv, Reply* out) {
    uint32_t modes = modes_of(c->session);
    if (!(modes & kTrackingOn)) {
        return reply_error(out,
                           "ERR CLIENT CACHING can be called only when the client is in tracking "
                           "mode with OPTIN or OPTOUT mode enabled");
    }
    if (arg_is(argv[2], "yes")) {
        if (!(modes & kTrackingOptin)) {
            return reply_error(out,
                               "ERR CLIENT CACHING YES is only valid when tracking is enabled in "
                               "OPTIN mode.");
        }
    } else if (arg_is(argv[2], "no")) {
        if (!(modes & kTrackingOptout)) {
            return reply_error(out,
                               "ERR CLIENT CACHING NO is only valid when tracking is enabled in "
                               "OPTOUT mode.");
        }
    } else {
        return reply_err(out, Err::syntax);
    }
    c->session->tracking.fetch_or(kTrackingCaching, std::memory_order_relaxed);
    reply_ok(out);
}

// ---- questions --------------------------------------------------------------------------------

int64_t tracking_redirect(const Session* s) {
    return modes_of(s) & kTrackingOn ? s->redirect.load(std::memory_order_relaxed) : -1;
}

void cmd_client_getredir(CmdCtx* c, Args, Reply* out) {
    reply_int(out, tracking_redirect(c->session));
}

static void reply_modes(uint32_t modes, Reply* out) {
    const char* words[6];
    size_t n = 0;
    bool given = (modes & kTrackingCaching) != 0;
    words[n++] = modes & kTrackingOn ? "on" : "off";
    if (modes & kTrackingBcast) words[n++] = "bcast";
    if (modes & kTrackingOptin) {
        words[n++] = "optin";
        if (given) words[n++] = "caching-yes";
    }
    if (modes & kTrackingOptout) {
        words[n++] = "optout";
        if (given) words[n++] = "caching-no";
    }
    if (modes & kTrackingNoloop) words[n++] = "noloop";
    if (modes & kTrackingBroken) words[n++] = "broken_redirect";
    reply_set(out, n);
    for (size_t i = 0; i < n; i++)
        reply_bulk(out, bytes_of(words[i]));
}

void cmd_client_trackinginfo(CmdCtx* c, Args, Reply* out) {
    reply_map(out, 3);
    reply_bulk(out, "flags");
    reply_modes(modes_of(c->session), out);
    reply_bulk(out, "redirect");
    reply_int(out, tracking_redirect(c->session));
    reply_bulk(out, "prefixes");
    size_t n;
    Bytes* prefixes = sorted_prefixes(c, &n);
    reply_array(out, n);
    for (size_t i = 0; i < n; i++)
        reply_bulk(out, prefixes[i]);
    mem_free(prefixes, n * sizeof(Bytes));
}

}  // namespace rp
