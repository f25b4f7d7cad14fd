// A peer: liburcu's split-ordered hash table (rculfhash) with its membarrier flavour.
#ifdef RP_HAVE_URCU
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-memb.h>
// keep apart: the flavour comes first
#include <benchmark/benchmark.h>
#include <urcu/rculfhash.h>

#include <cstdlib>

#include "keys.h"
#include "table/table.h"

using namespace rp_bench;

struct Node {
    cds_lfht_node link;
    Key key;
    Value value;
    rcu_head head;  // call_rcu wants one per node
};

static int node_matches(cds_lfht_node* link, const void* key) {
    const Node* n = caa_container_of(link, Node, link);
    return n->key == *static_cast<const Key*>(key);
}

static unsigned long hash_of(const Key& k) { return rp::table_hash(key_bytes(k)); }

static Node* make_node(uint64_t i) {
    Node* n = static_cast<Node*>(malloc(sizeof(Node)));
    cds_lfht_node_init(&n->link);
    n->key = key_of(i);
    n->value = value_of(i);
    return n;
}

// Registers this thread for as long as a benchmark runs in it.
struct Registered {
    Registered() { urcu_memb_register_thread(); }
    ~Registered() { urcu_memb_unregister_thread(); }
};

// Sized for the keys from the start: growth takes another thread's time here.
static cds_lfht* filled(int64_t keys) {
    Registered registered;
    unsigned long buckets = 1;
    while (buckets < static_cast<unsigned long>(keys))
        buckets *= 2;
    cds_lfht* t = cds_lfht_new_flavor(buckets, 1, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING,
                                      &urcu_memb_flavor, nullptr);
    for (uint64_t i = 0; i < static_cast<uint64_t>(keys); i++) {
        Node* n = make_node(i);
        urcu_memb_read_lock();
        cds_lfht_add(t, hash_of(n->key), &n->link);
        urcu_memb_read_unlock();
    }
    return t;
}

static cds_lfht* shared_table(int64_t keys) {
    static cds_lfht* few = filled(kFew);
    if (keys == kFew) return few;
    static cds_lfht* many = filled(kMany);
    return many;
}

static void find(benchmark::State& state, uint64_t first) {
    cds_lfht* t = shared_table(state.range(0));
    Registered registered;
    Walk walk(static_cast<uint64_t>(state.thread_index()) * 1000003);
    uint64_t sum = 0;
    for (auto _ : state) {
        Key k = key_of(first + walk.next(static_cast<uint64_t>(state.range(0))));
        cds_lfht_iter at;
        urcu_memb_read_lock();
        cds_lfht_lookup(t, hash_of(k), node_matches, &k, &at);
        cds_lfht_node* link = cds_lfht_iter_get_node(&at);
        if (link != nullptr) sum += caa_container_of(link, Node, link)->value.word[0];
        urcu_memb_read_unlock();
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations());
}

static void urcu_find_hit(benchmark::State& state) { find(state, 0); }
static void urcu_find_miss(benchmark::State& state) { find(state, uint64_t{1} << 40); }

static void node_free(rcu_head* head) { free(caa_container_of(head, Node, head)); }

static void urcu_overwrite(benchmark::State& state) {
    cds_lfht* t = shared_table(state.range(0));
    Registered registered;
    Walk walk(static_cast<uint64_t>(state.thread_index()) * 1000003);
    for (auto _ : state) {
        Node* n = make_node(walk.next(static_cast<uint64_t>(state.range(0))));
        urcu_memb_read_lock();
        cds_lfht_node* old =
            cds_lfht_add_replace(t, hash_of(n->key), node_matches, &n->key, &n->link);
        if (old != nullptr) urcu_memb_call_rcu(&caa_container_of(old, Node, link)->head, node_free);
        urcu_memb_read_unlock();
    }
    state.SetItemsProcessed(state.iterations());
    urcu_memb_barrier();
}

static void urcu_insert_delete(benchmark::State& state) {
    cds_lfht* t = shared_table(state.range(0));
    Registered registered;
    uint64_t i = (uint64_t{1} << 41) + static_cast<uint64_t>(state.thread_index()) * 1000003000;
    for (auto _ : state) {
        Node* n = make_node(i++);
        urcu_memb_read_lock();
        cds_lfht_add_unique(t, hash_of(n->key), node_matches, &n->key, &n->link);
        urcu_memb_read_unlock();
        urcu_memb_read_lock();
        cds_lfht_iter at;
        cds_lfht_lookup(t, hash_of(n->key), node_matches, &n->key, &at);
        cds_lfht_del(t, cds_lfht_iter_get_node(&at));
        urcu_memb_call_rcu(&n->head, node_free);
        urcu_memb_read_unlock();
    }
    state.SetItemsProcessed(state.iterations());
    urcu_memb_barrier();
}

static void urcu_read_section(benchmark::State& state) {
    Registered registered;
    for (auto _ : state) {
        urcu_memb_read_lock();
        benchmark::ClobberMemory();
        urcu_memb_read_unlock();
    }
}

#define RP_BENCH_SIZES(fn) \
    BENCHMARK(fn)->Arg(kFew)->Arg(kMany)->Threads(1)->Threads(2)->UseRealTime()
RP_BENCH_SIZES(urcu_find_hit);
RP_BENCH_SIZES(urcu_find_miss);
RP_BENCH_SIZES(urcu_overwrite);
RP_BENCH_SIZES(urcu_insert_delete);
BENCHMARK(urcu_read_section)->Threads(1)->Threads(2)->UseRealTime();
#endif
