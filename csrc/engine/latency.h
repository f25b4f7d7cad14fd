// engine/latency.h: the latency monitor: when what happened that took latency-monitor-threshold
// milliseconds or more.
//
//     command, fast-command    by the CMD flag `fast` (command_was_slow)
//     expire-cycle             one loop deleting expired keys by itself
//     eviction-cycle           a command making room for itself (maxmemory)
//     aof-write, aof-fsync-always    the log's own thread; commands wait only for an answer
//
// Threads  any; Latency.lock is a leaf.
// Limits   kLatencyEvents events, kLatencySamples seconds of each; one second keeps its worst.
#pragma once
#include "engine/engine.h"
#include "engine/text.h"

namespace rp {

constexpr size_t kLatencyEvents = 16;
constexpr size_t kLatencySamples = 160;

struct LatencySample {
    int64_t time_s;
    uint32_t ms;
};
struct LatencyEvent {
    const char* name = nullptr;  // static; null ends the list
    size_t count = 0;            // since it was reset; the last kLatencySamples are kept
    uint32_t max_ms = 0;
    LatencySample samples[kLatencySamples];
};
struct Latency {
    Mutex lock;
    LatencyEvent events[kLatencyEvents];
};
Latency* latency_new();
void latency_free(Latency* take);

// `event` is a literal. Does nothing below the threshold.
void latency_note(Engine* e, const char* event, int64_t us);
// As a hook of layers below: `engine` is an Engine.
void latency_hook(void* engine, const char* event, int64_t us);

// LATENCY GRAPH, DOCTOR (latency_text.cc). REQUIRES: Latency.lock.
void latency_graph(Text* t, const LatencyEvent* event, int64_t now_s);
void latency_doctor(Text* t, const Latency* latency, const Config* config);
// The i-th oldest kept sample.
inline size_t latency_kept(const LatencyEvent* event) {
    return event->count < kLatencySamples ? event->count : kLatencySamples;
}
inline const LatencySample* latency_at(const LatencyEvent* event, size_t i) {
    return &event->samples[(event->count - latency_kept(event) + i) % kLatencySamples];
}

}  // namespace rp
