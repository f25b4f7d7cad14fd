#include "types/quicklist.h"

#include <new>

#include "mem/mem.h"

namespace rp {

constexpr size_t kNodeBytes = 4096;  // times a power of two
constexpr size_t kBlockHead = 8;     // of the allocator: a full node is exactly one block

ListLimits list_limits(int64_t setting) {
    size_t doublings = setting >= 0 ? 1 : setting >= -5 ? static_cast<size_t>(-setting) - 1 : 4;
    size_t elements = setting > 0 ? static_cast<size_t>(setting) : setting == 0 ? 1 : SIZE_MAX;
    return {elements, (kNodeBytes << doublings) - kBlockHead};
}

// ---- nodes ------------------------------------------------------------------------------------

static size_t node_cost(const ListNode* n) { return mem_cost(sizeof(ListNode)) + buf_cost(&n->lp); }

// A change of one node's run: the sums follow when it is over.
struct NodeEdit {
    Quicklist* q;
    ListNode* n;
    size_t count;
    size_t cost;
};

static NodeEdit node_edit(Quicklist* q, ListNode* n) { return {q, n, n->count, buf_cost(&n->lp)}; }

static void node_edited(const NodeEdit* e, size_t count) {
    e->n->count = count;
    e->q->count += count - e->count;
    e->q->node_cost += buf_cost(&e->n->lp) - e->cost;
}

static void node_insert(Quicklist* q, ListNode* n, size_t at, Bytes what) {
    NodeEdit e = node_edit(q, n);
    lp_insert(&n->lp, at, what);
    node_edited(&e, n->count + 1);
}

// An empty one after `prev` (null: in front); the caller fills it.
static ListNode* node_link(Quicklist* q, ListNode* prev) {
    ListNode* next = prev != nullptr ? prev->next : q->head;
    auto* n = new (mem_alloc(sizeof(ListNode))) ListNode{next, prev, 0, {}};
    (prev != nullptr ? prev->next : q->head) = n;
    (next != nullptr ? next->prev : q->tail) = n;
    q->nodes++;
    q->node_cost += node_cost(n);
    return n;
}

static void node_unlink(Quicklist* q, ListNode* n) {
    (n->prev != nullptr ? n->prev->next : q->head) = n->next;
    (n->next != nullptr ? n->next->prev : q->tail) = n->prev;
    q->nodes--;
    q->count -= n->count;
    q->node_cost -= node_cost(n);
    buf_free(&n->lp);
    mem_free(n, sizeof(ListNode));
}

static bool node_fits(const ListNode* n, Bytes what, ListLimits limits) {
    return list_fits(n->count, n->lp.len, what, limits);
}

// What is from `at` on moves to a new node behind n.
static ListNode* node_split(Quicklist* q, ListNode* n, size_t at) {
    ListNode* second = node_link(q, n);
    NodeEdit first_edit = node_edit(q, n), second_edit = node_edit(q, second);
    lp_split(&n->lp, at, &second->lp);
    buf_shrink(&n->lp);
    node_edited(&second_edit, lp_count(buf_bytes(&second->lp)));
    node_edited(&first_edit, first_edit.count - second->count);
    return second;
}

// The node is as full as it gets: a new one begins beside it.
static void node_fit(Quicklist* q, ListNode* n) {
    if (n->lp.cap - n->lp.len <= n->lp.cap / 8) return;
    NodeEdit e = node_edit(q, n);
    buf_fit(&n->lp);
    node_edited(&e, n->count);
}

// A run that has lost most of its bytes gives back its room.
static void shrink(Buf* lp) {
    if (lp->cap > 4 * lp->len) buf_fit(lp);
}

// ---- whole lists ------------------------------------------------------------------------------

Quicklist* quicklist_new() { return new (mem_alloc(sizeof(Quicklist))) Quicklist; }

Quicklist* quicklist_from(Buf* take) {
    RP_DCHECK(take->len != 0);
    Quicklist* q = quicklist_new();
    ListNode* n = node_link(q, nullptr);
    NodeEdit e = node_edit(q, n);
    buf_own(take);
    n->lp = *take;
    *take = {};
    node_edited(&e, lp_count(buf_bytes(&n->lp)));
    return q;
}

Buf quicklist_into(Quicklist* take) {
    RP_DCHECK(take->nodes == 1);
    Buf run = take->head->lp;
    mem_free(take->head, sizeof(ListNode));
    mem_free(take, sizeof(Quicklist));
    return run;
}

bool quicklist_free_some(Quicklist* take, size_t elements) {
    for (size_t gone = 0; gone < elements && take->head != nullptr;) {
        gone += take->head->count;
        node_unlink(take, take->head);
    }
    if (take->head != nullptr) return false;
    mem_free(take, sizeof(Quicklist));
    return true;
}

void quicklist_free(Quicklist* take) { quicklist_free_some(take, SIZE_MAX); }

Quicklist* quicklist_clone(const Quicklist* q) {
    Quicklist* clone = quicklist_new();
    for (const ListNode* from = q->head; from != nullptr; from = from->next) {
        ListNode* n = node_link(clone, clone->tail);
        NodeEdit e = node_edit(clone, n);
        n->lp = buf_clone(&from->lp);
        node_edited(&e, from->count);
    }
    return clone;
}

size_t quicklist_cost(const Quicklist* q) { return mem_cost(sizeof(Quicklist)) + q->node_cost; }

// ---- places -----------------------------------------------------------------------------------

static ListAt first_of(ListNode* n) {
    return n != nullptr ? ListAt{n, lp_first(buf_bytes(&n->lp))} : ListAt{};
}

static ListAt last_of(ListNode* n) {
    return n != nullptr ? ListAt{n, lp_last(buf_bytes(&n->lp))} : ListAt{};
}

ListAt quicklist_seek(const Quicklist* q, int64_t index) {
    auto count = static_cast<int64_t>(q->count);
    if (index < 0) index += count;
    if (index < 0 || index >= count) return {};
    auto left = static_cast<size_t>(index);
    ListNode* n = q->head;
    if (index <= count / 2) {
        for (; left >= n->count; n = n->next)
            left -= n->count;
    } else {
        size_t begin = q->count;  // of n, counted from the front
        for (n = q->tail; left < begin - n->count; n = n->prev)
            begin -= n->count;
        left -= begin - n->count;
    }
    return {n, lp_seek(buf_bytes(&n->lp), static_cast<int64_t>(left))};
}

ListAt quicklist_next(ListAt at) {
    size_t next = lp_next(buf_bytes(&at.node->lp), at.at);
    return next != kLpEnd ? ListAt{at.node, next} : first_of(at.node->next);
}

ListAt quicklist_prev(ListAt at) {
    size_t prev = lp_prev(buf_bytes(&at.node->lp), at.at);
    return prev != kLpEnd ? ListAt{at.node, prev} : last_of(at.node->prev);
}

// ---- writing ----------------------------------------------------------------------------------

static void push_new_node(Quicklist* q, bool front, Bytes what) {
    ListNode* full = front ? q->head : q->tail;
    if (full != nullptr) node_fit(q, full);
    node_insert(q, node_link(q, front ? nullptr : full), kLpEnd, what);
}

void quicklist_push(Quicklist* q, bool front, Bytes what, ListLimits limits) {
    ListNode* n = front ? q->head : q->tail;
    if (RP_UNLIKELY(n == nullptr || !node_fits(n, what, limits))) {
        return push_new_node(q, front, what);
    }
    node_insert(q, n, front ? lp_first(buf_bytes(&n->lp)) : kLpEnd, what);
}

// Between two nodes: onto whichever has room, or into a new one.
static void insert_between(Quicklist* q, ListNode* left, ListNode* right, Bytes what,
                           ListLimits limits) {
    if (left != nullptr && node_fits(left, what, limits)) {
        node_insert(q, left, kLpEnd, what);
    } else if (right != nullptr && node_fits(right, what, limits)) {
        node_insert(q, right, lp_first(buf_bytes(&right->lp)), what);
    } else {
        node_insert(q, node_link(q, left), kLpEnd, what);
    }
}

void quicklist_insert(Quicklist* q, ListAt place, bool after, Bytes what, ListLimits limits) {
    ListNode* n = place.node;
    size_t at = after ? lp_next(buf_bytes(&n->lp), place.at) : place.at;
    if (node_fits(n, what, limits)) {
        node_insert(q, n, at, what);
    } else if (at == kLpEnd) {
        insert_between(q, n, n->next, what, limits);
    } else if (at == lp_first(buf_bytes(&n->lp))) {
        insert_between(q, n->prev, n, what, limits);
    } else {
        insert_between(q, n, node_split(q, n, at), what, limits);
    }
}

void quicklist_replace(Quicklist* q, ListAt place, Bytes what, ListLimits limits) {
    ListNode* n = place.node;
    size_t without = n->lp.len - lp_element_size(quicklist_get(place).len);
    if (n->count > 1 && !list_fits(n->count - 1, without, what, limits)) {
        quicklist_insert(q, place, true, what, limits);
        quicklist_erase(q, place, 1);  // what is behind it moved, if anything
        return;
    }
    NodeEdit e = node_edit(q, n);
    lp_replace(&n->lp, place.at, what);
    shrink(&n->lp);
    node_edited(&e, n->count);
}

static ListAt node_erase(Quicklist* q, ListAt place, size_t n) {
    ListNode* node = place.node;
    NodeEdit e = node_edit(q, node);
    size_t next = lp_erase(&node->lp, place.at, n);
    shrink(&node->lp);
    node_edited(&e, lp_count(buf_bytes(&node->lp)));
    return next != kLpEnd ? ListAt{node, next} : first_of(node->next);
}

ListAt quicklist_erase(Quicklist* q, ListAt place, size_t n) {
    while (n != 0 && place.node != nullptr) {
        ListNode* node = place.node;
        size_t count = node->count;
        bool whole = n >= count && place.at == lp_first(buf_bytes(&node->lp));
        if (whole) {
            place = first_of(node->next);
            node_unlink(q, node);
            n -= count;
        } else {
            place = node_erase(q, place, n);
            n -= count - node->count;
        }
    }
    return place;
}

void quicklist_check(const Quicklist* q) {
    size_t count = 0, nodes = 0, cost = 0;
    const ListNode* prev = nullptr;
    for (const ListNode* n = q->head; n != nullptr; n = n->next) {
        buf_check(&n->lp);
        lp_check(buf_bytes(&n->lp));
        RP_ASSERT(n->prev == prev);
        RP_ASSERT(n->count != 0);
        RP_ASSERT(n->count == lp_count(buf_bytes(&n->lp)));
        RP_ASSERT(!buf_borrows(&n->lp));
        count += n->count;
        cost += node_cost(n);
        nodes++;
        prev = n;
    }
    RP_ASSERT(q->tail == prev);
    RP_ASSERT(q->count == count);
    RP_ASSERT(q->nodes == nodes);
    RP_ASSERT(q->node_cost == cost);
}

}  // namespace rp
