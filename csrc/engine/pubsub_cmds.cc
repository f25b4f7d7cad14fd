// SUBSCRIBE, UNSUBSCRIBE and their kin, PUBLISH, SPUBLISH, PUBSUB.
//
// Confirmations are messages, not replies: they go where messages go, past CLIENT REPLY OFF.
#include "base/glob.h"
#include "engine/acl.h"
#include "engine/families.h"
#include "engine/pubsub.h"

namespace rp {

// ---- subscribing ------------------------------------------------------------------------------

static uint32_t count_of(const Session* s, TopicKind kind) {
    return s->sub_counts[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
}

// What a confirmation counts: channels and patterns together, shard channels by themselves.
static int64_t counted(const Session* s, TopicKind kind) {
    if (kind == TopicKind::shard) return count_of(s, kind);
    return int64_t{count_of(s, TopicKind::channel)} + count_of(s, TopicKind::pattern);
}

static void confirm(Session* s, TopicKind kind, Bytes what, const Bytes* name) {
    Reply r;
    r.out = session_push_out(s);
    r.resp = s->resp;
    reply_push(&r, 3);
    reply_bulk(&r, what);
    if (name != nullptr) {
        reply_bulk(&r, *name);
    } else {
        reply_null(&r);
    }
    reply_int(&r, counted(s, kind));
}

static void subscribe(CmdCtx* c, Args argv, TopicKind kind, Bytes what, const char* name) {
    Session* s = c->session;
    if (s->mailbox == nullptr) {
        return reply_errorf(c->out, "ERR %s isn't allowed for a DENY BLOCKING client", name);
    }
    for (size_t i = 1; i < argv.len; i++) {
        Bytes topic = argv[i];
        pubsub_subscribe(c->engine->pubsub, s, kind, topic);
        confirm(s, kind, what, &topic);
    }
    if (!acl_keep_listening(c, kind, {argv.items + 1, argv.len - 1})) c->request_close = true;
}

// In the order of subscribing. The name lives in the Sub's topic, which goes with the last one.
static void unsubscribe_all(CmdCtx* c, TopicKind kind, Bytes what) {
    Session* s = c->session;
    if (count_of(s, kind) == 0) return confirm(s, kind, what, nullptr);
    while (count_of(s, kind) != 0) {
        Blob* name = pubsub_first_name(s, kind);
        Bytes bytes = blob_bytes(name);
        pubsub_unsubscribe(c->engine->pubsub, s, kind, bytes);
        confirm(s, kind, what, &bytes);
        blob_unref(name);
    }
}

static void unsubscribe(CmdCtx* c, Args argv, TopicKind kind, Bytes what) {
    if (argv.len == 1) return unsubscribe_all(c, kind, what);
    for (size_t i = 1; i < argv.len; i++) {
        Bytes topic = argv[i];
        pubsub_unsubscribe(c->engine->pubsub, c->session, kind, topic);
        confirm(c->session, kind, what, &topic);
    }
}

static void cmd_subscribe(CmdCtx* c, Args argv, Reply*) {
    subscribe(c, argv, TopicKind::channel, "subscribe", "SUBSCRIBE");
}
static void cmd_psubscribe(CmdCtx* c, Args argv, Reply*) {
    subscribe(c, argv, TopicKind::pattern, "psubscribe", "PSUBSCRIBE");
}
static void cmd_ssubscribe(CmdCtx* c, Args argv, Reply*) {
    subscribe(c, argv, TopicKind::shard, "ssubscribe", "SSUBSCRIBE");
}
static void cmd_unsubscribe(CmdCtx* c, Args argv, Reply*) {
    unsubscribe(c, argv, TopicKind::channel, "unsubscribe");
}
static void cmd_punsubscribe(CmdCtx* c, Args argv, Reply*) {
    unsubscribe(c, argv, TopicKind::pattern, "punsubscribe");
}
static void cmd_sunsubscribe(CmdCtx* c, Args argv, Reply*) {
    unsubscribe(c, argv, TopicKind::shard, "sunsubscribe");
}

// ---- publishing -------------------------------------------------------------------------------

// What a session sends to itself is in front of the reply.
static void publish(CmdCtx* c, Args argv, Reply* out, TopicKind kind) {
    uint64_t receivers;
    if (!pubsub_publish(c->engine->pubsub, kind, argv[1], argv[2], &receivers)) {
        return reply_err(out, Err::no_memory);
    }
    if (c->session->subscribed != 0) mailbox_drain(c->session->mailbox);
    reply_int(out, static_cast<int64_t>(receivers));
}

static void cmd_publish(CmdCtx* c, Args argv, Reply* out) {
    publish(c, argv, out, TopicKind::channel);
}
static void cmd_spublish(CmdCtx* c, Args argv, Reply* out) {
    publish(c, argv, out, TopicKind::shard);
}

// ---- PUBSUB -----------------------------------------------------------------------------------

struct NameList {
    DeferredArray array;
    Bytes pattern;
    bool all;
};

static void list_name(void* arg, Bytes name) {
    auto* list = static_cast<NameList*>(arg);
    if (!list->all && !glob_match(list->pattern, name)) return;
    reply_bulk(&list->array.reply, name);
    list->array.items++;
}

static void list_names(CmdCtx* c, Args argv, Reply* out, TopicKind kind) {
    if (argv.len > 3) return reply_err_subcommand(c, argv);
    NameList list;
    list.all = argv.len == 2;
    if (!list.all) list.pattern = argv[2];
    deferred_start(&list.array, out);
    pubsub_each(c->engine->pubsub, kind, list_name, &list);
    deferred_finish_array(&list.array, out);
}

static void count_subscribers(CmdCtx* c, Args argv, Reply* out, TopicKind kind) {
    reply_array(out, 2 * (argv.len - 2));
    for (size_t i = 2; i < argv.len; i++) {
        reply_bulk(out, argv[i]);
        reply_int(out, static_cast<int64_t>(pubsub_count(c->engine->pubsub, kind, argv[i])));
    }
}

static void cmd_channels(CmdCtx* c, Args argv, Reply* out) {
    list_names(c, argv, out, TopicKind::channel);
}
static void cmd_shardchannels(CmdCtx* c, Args argv, Reply* out) {
    list_names(c, argv, out, TopicKind::shard);
}
static void cmd_numsub(CmdCtx* c, Args argv, Reply* out) {
    count_subscribers(c, argv, out, TopicKind::channel);
}
static void cmd_shardnumsub(CmdCtx* c, Args argv, Reply* out) {
    count_subscribers(c, argv, out, TopicKind::shard);
}
static void cmd_numpat(CmdCtx* c, Args, Reply* out) {
    auto kind = static_cast<size_t>(TopicKind::pattern);
    reply_int(
        out, static_cast<int64_t>(c->engine->pubsub->topics[kind].load(std::memory_order_relaxed)));
}

static void cmd_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "CHANNELS [<pattern>]",
        "    List the channels that somebody is subscribed to (default: '*').",
        "NUMPAT",
        "    Count the patterns that somebody is subscribed to.",
        "NUMSUB [<channel> ...]",
        "    Count the subscribers of each channel, those of patterns left out.",
        "SHARDCHANNELS [<pattern>]",
        "    List the shard channels that somebody is subscribed to (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Count the subscribers of each shard channel.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

static constexpr uint32_t kAsking = kCmdPubsub | kCmdLoading | kCmdStale;
static constexpr uint32_t kListening = kAsking | kCmdNoScript | kCmdSubscriber;

static const Cmd kPubsubSubcommands[] = {
    {.name = "CHANNELS",
     .run = cmd_channels,
     .arity = -2,
     .flags = kAsking,
     .group = "pubsub",
     .syntax = "[pattern:pattern]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(N), N = channels",
     .about = "Lists the channels that have subscribers."},
    {.name = "HELP",
     .run = cmd_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "pubsub",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {.name = "NUMPAT",
     .run = cmd_numpat,
     .arity = 2,
     .flags = kAsking,
     .group = "pubsub",
     .reply = Shape::integer,
     .since = "2.8.0",
     .cost = "O(1)",
     .about = "Counts the patterns that have subscribers."},
    {.name = "NUMSUB",
     .run = cmd_numsub,
     .arity = -2,
     .flags = kAsking,
     .group = "pubsub",
     .syntax = "[channel:string...]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(N), N = channels named",
     .about = "Counts the subscribers of channels."},
    {.name = "SHARDCHANNELS",
     .run = cmd_shardchannels,
     .arity = -2,
     .flags = kAsking,
     .group = "pubsub",
     .syntax = "[pattern:pattern]",
     .reply = Shape::array,
     .since = "7.0.0",
     .cost = "O(N), N = shard channels",
     .about = "Lists the shard channels that have subscribers."},
    {.name = "SHARDNUMSUB",
     .run = cmd_shardnumsub,
     .arity = -2,
     .flags = kAsking,
     .group = "pubsub",
     .syntax = "[shardchannel:string...]",
     .reply = Shape::array,
     .since = "7.0.0",
     .cost = "O(N), N = shard channels named",
     .about = "Counts the subscribers of shard channels."},
    {},
};

const Cmd kPubsubCmds[] = {
    {.name = "SUBSCRIBE",
     .run = cmd_subscribe,
     .arity = -2,
     .flags = kListening,
     .channels = {kChannelSubscribe, 1, -1},
     .group = "pubsub",
     .syntax = "channel:string...",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(N), N = channels named",
     .about = "Listens to channels."},
    {.name = "UNSUBSCRIBE",
     .run = cmd_unsubscribe,
     .arity = -1,
     .flags = kListening,
     .channels = {kChannelUnsubscribe, 1, -1},
     .group = "pubsub",
     .syntax = "[channel:string...]",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(N), N = channels named",
     .about = "Stops listening to channels, without names to all of them."},
    {.name = "PSUBSCRIBE",
     .run = cmd_psubscribe,
     .arity = -2,
     .flags = kListening,
     .channels = {kChannelSubscribe | kChannelPattern, 1, -1},
     .group = "pubsub",
     .syntax = "pattern={pattern:pattern}...",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(N), N = patterns named",
     .about = "Listens to all channels whose names fit a pattern."},
    {.name = "PUNSUBSCRIBE",
     .run = cmd_punsubscribe,
     .arity = -1,
     .flags = kListening,
     .channels = {kChannelUnsubscribe | kChannelPattern, 1, -1},
     .group = "pubsub",
     .syntax = "[pattern:pattern...]",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(N), N = patterns named",
     .about = "Stops listening to patterns, without any to all of them."},
    {.name = "SSUBSCRIBE",
     .run = cmd_ssubscribe,
     .arity = -2,
     .flags = kListening,
     .keys = {{.flags = kKeyNotKey, .index = 1, .last = -1}},
     .channels = {kChannelSubscribe, 1, -1},
     .group = "pubsub",
     .syntax = "shardchannel:string...",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(N), N = shard channels named",
     .about = "Listens to shard channels."},
    {.name = "SUNSUBSCRIBE",
     .run = cmd_sunsubscribe,
     .arity = -1,
     .flags = kListening,
     .keys = {{.flags = kKeyNotKey, .index = 1, .last = -1}},
     .channels = {kChannelUnsubscribe, 1, -1},
     .group = "pubsub",
     .syntax = "[shardchannel:string...]",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(N), N = shard channels named",
     .about = "Stops listening to shard channels, without names to all of them."},
    {.name = "PUBLISH",
     .run = cmd_publish,
     .arity = 3,
     .flags = kAsking | kCmdFast,
     .channels = {kChannelPublish, 1, 1},
     .group = "pubsub",
     .syntax = "channel:string message:string",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N+M), N = loops with subscribers, M = patterns",
     .about = "Sends a message to all who listen to a channel; returns how many."},
    {.name = "SPUBLISH",
     .run = cmd_spublish,
     .arity = 3,
     .flags = kAsking | kCmdFast,
     .keys = {{.flags = kKeyNotKey, .index = 1}},
     .channels = {kChannelPublish, 1, 1},
     .group = "pubsub",
     .syntax = "shardchannel:string message:string",
     .reply = Shape::integer,
     .since = "7.0.0",
     .cost = "O(N), N = loops with subscribers",
     .about = "Sends a message to all who listen to a shard channel; returns how many."},
    {.name = "PUBSUB",
     .arity = -2,
     .group = "pubsub",
     .reply = Shape::any,
     .since = "2.8.0",
     .cost = "Depends on the subcommand",
     .about = "Tells who is subscribed to what.",
     .subcommands = kPubsubSubcommands},
    {},
};

}  // namespace rp
