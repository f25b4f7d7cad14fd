#include "types/ranktree.h"

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

// A leaf is then 520 bytes, for which the allocator takes 528.
constexpr uint32_t kRankMax = 31;
constexpr uint32_t kRankLeast = 4;  // what a split at either end leaves in the smaller node
constexpr uint32_t kRankLow = 8;    // an erasure that leaves fewer joins the node to a neighbour
constexpr uint32_t kDepthMax = 16;  // 4^15 nodes hold more elements than there may be

// What both kinds of node have. Slot i of an inner node shows the least element of child i.
struct RankNode {
    uint32_t n;
    uint32_t level;  // 0: a leaf
    double scores[kRankMax];
    const Item* items[kRankMax];
};
struct RankLeaf : RankNode {
    RankLeaf* next;
    RankLeaf* prev;
};
struct RankInner : RankNode {
    RankNode* children[kRankMax];
    uint32_t counts[kRankMax];  // elements below
};
static_assert(sizeof(RankLeaf) == 520);

static RankLeaf* as_leaf(RankNode* n) { return static_cast<RankLeaf*>(n); }
static const RankLeaf* as_leaf(const RankNode* n) { return static_cast<const RankLeaf*>(n); }
static RankInner* as_inner(RankNode* n) { return static_cast<RankInner*>(n); }
static const RankInner* as_inner(const RankNode* n) { return static_cast<const RankInner*>(n); }

// ---- one node ---------------------------------------------------------------------------------

static size_t node_size(uint32_t level) {
    return level == 0 ? sizeof(RankLeaf) : sizeof(RankInner);
}

static RankNode* node_new(RankTree* t, uint32_t level) {
    size_t size = node_size(level);
    auto* node = static_cast<RankNode*>(mem_alloc(size));
    t->node_cost += mem_cost(size);
    node->n = 0;
    node->level = level;
    if (level == 0) as_leaf(node)->next = as_leaf(node)->prev = nullptr;
    return node;
}

static void node_free(RankTree* t, RankNode* node) {
    size_t size = node_size(node->level);
    t->node_cost -= mem_cost(size);
    mem_free(node, size);
}

// Slots may overlap when both nodes are the same.
static void copy_slots(RankNode* to, uint32_t to_at, const RankNode* from, uint32_t from_at,
                       uint32_t n) {
    memmove(to->scores + to_at, from->scores + from_at, n * sizeof *to->scores);
    memmove(to->items + to_at, from->items + from_at, n * sizeof *to->items);
    if (to->level == 0) return;
    RankInner* to_inner = as_inner(to);
    const RankInner* from_inner = as_inner(from);
    memmove(to_inner->children + to_at, from_inner->children + from_at,
            n * sizeof *to_inner->children);
    memmove(to_inner->counts + to_at, from_inner->counts + from_at, n * sizeof *to_inner->counts);
}

static void open_slot(RankNode* node, uint32_t at) {
    copy_slots(node, at + 1, node, at, node->n - at);
    node->n++;
}

static void close_slot(RankNode* node, uint32_t at) {
    node->n--;
    copy_slots(node, at, node, at + 1, node->n - at);
}

static uint32_t elements_below(const RankNode* node) {
    if (node->level == 0) return node->n;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < node->n; i++)
        sum += as_inner(node)->counts[i];
    return sum;
}

// Slot `at` of an inner node shows `child` as it is now.
static void show_child(RankInner* node, uint32_t at, RankNode* child) {
    node->children[at] = child;
    node->counts[at] = elements_below(child);
    node->scores[at] = child->scores[0];
    node->items[at] = child->items[0];
}

// ---- searching --------------------------------------------------------------------------------

static int compare_members(Bytes a, Bytes b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common != 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_slot(const RankNode* node, uint32_t at, double score, Bytes member) {
    double here = node->scores[at];
    if (here != score) return here < score ? -1 : 1;
    return compare_members(item_key(node->items[at]), member);
}

// The number of slots before (score, member). *exact: the next slot is it.
static uint32_t find_slot(const RankNode* node, double score, Bytes member, bool* exact) {
    uint32_t low = 0, high = node->n;
    *exact = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare_slot(node, middle, score, member);
        if (order == 0) {
            *exact = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The child that holds (score, member), or would.
static uint32_t find_child(const RankInner* node, double score, Bytes member) {
    bool exact;
    uint32_t at = find_slot(node, score, member, &exact);
    return exact || at == 0 ? at : at - 1;
}

// The way from the root to an element: the inner nodes by their level, from 1 on, and the slot
// taken in each.
struct Path {
    RankInner* inner[kDepthMax];
    uint32_t slots[kDepthMax];
    RankLeaf* leaf;
    uint32_t at;
    bool exact;
};

static Path find_path(const RankTree* t, double score, Bytes member) {
    Path p;
    RankNode* node = t->root;
    while (node->level != 0) {
        uint32_t slot = find_child(as_inner(node), score, member);
        p.inner[node->level] = as_inner(node);
        p.slots[node->level] = slot;
        node = as_inner(node)->children[slot];
    }
    p.leaf = as_leaf(node);
    p.at = find_slot(node, score, member, &p.exact);
    return p;
}

// The first slot of the path's leaf has changed: whoever shows it follows.
static void show_first(const RankTree* t, const Path* p) {
    for (uint32_t level = 1; level <= t->root->level; level++) {
        RankInner* node = p->inner[level];
        node->scores[p->slots[level]] = p->leaf->scores[0];
        node->items[p->slots[level]] = p->leaf->items[0];
        if (p->slots[level] != 0) return;
    }
}

static void add_to_counts(const RankTree* t, const Path* p, int by) {
    for (uint32_t level = 1; level <= t->root->level; level++) {
        p->inner[level]->counts[p->slots[level]] += static_cast<uint32_t>(by);
    }
}

// ---- inserting --------------------------------------------------------------------------------

// Where a full node is cut: insertion in order leaves nearly full nodes behind.
enum class Edge : uint8_t { none, first, last };

static uint32_t cut_of(const RankNode* node, Edge edge) {
    switch (edge) {
        case Edge::none: return node->n / 2;
        case Edge::first: return kRankLeast;
        case Edge::last: return node->n - kRankLeast;
    }
    return 0;
}

// Moves the slots from `cut` on into a new node, the right neighbour of `left`.
static RankNode* split(RankTree* t, RankNode* left, uint32_t cut) {
    RankNode* right = node_new(t, left->level);
    right->n = left->n - cut;
    copy_slots(right, 0, left, cut, right->n);
    left->n = cut;
    if (left->level == 0) {
        RankLeaf *l = as_leaf(left), *r = as_leaf(right);
        r->prev = l;
        r->next = l->next;
        if (r->next != nullptr) r->next->prev = r;
        l->next = r;
    }
    return right;
}

static void grow_root(RankTree* t, RankNode* right) {
    RankNode* left = t->root;
    RankInner* root = as_inner(node_new(t, left->level + 1));
    root->n = 2;
    show_child(root, 0, left);
    show_child(root, 1, right);
    t->root = root;
}

// Puts `fresh` behind the child that the path takes at `level`, splitting upward as far as needed.
static void add_sibling(RankTree* t, const Path* p, uint32_t level, RankNode* fresh, Edge edge) {
    while (level <= t->root->level) {
        RankInner* node = p->inner[level];
        uint32_t at = p->slots[level];
        RankNode* right = nullptr;
        if (node->n == kRankMax) right = split(t, node, cut_of(node, edge));
        RankInner* home = node;
        if (right != nullptr && at >= node->n) {
            at -= node->n;
            home = as_inner(right);
        }
        show_child(home, at, home->children[at]);
        open_slot(home, at + 1);
        show_child(home, at + 1, fresh);
        if (right == nullptr) return;
        fresh = right;
        level++;
    }
    grow_root(t, fresh);
}

// The path's leaf is full: cuts it, and leaves the path at the half where the element goes. Counts
// above are wrong for the elements moved until add_sibling has been there.
static RankLeaf* split_leaf(RankTree* t, Path* p, Edge edge) {
    RankLeaf* left = p->leaf;
    RankLeaf* right = as_leaf(split(t, left, cut_of(left, edge)));
    if (p->at > left->n) {
        p->at -= left->n;
        p->leaf = right;
    }
    return right;
}

static void put_slot(RankNode* node, uint32_t at, double score, const Item* item) {
    open_slot(node, at);
    node->scores[at] = score;
    node->items[at] = item;
}

void ranktree_insert(RankTree* t, double score, const Item* item) {
    if (t->root == nullptr) t->root = node_new(t, 0);
    RP_ASSERT(t->count < INT32_MAX);
    Path p = find_path(t, score, item_key(item));
    RP_DCHECK(!p.exact);
    t->count++;
    add_to_counts(t, &p, 1);
    if (p.leaf->n < kRankMax) {
        put_slot(p.leaf, p.at, score, item);
        if (p.at == 0) show_first(t, &p);
        return;
    }
    Edge edge = p.at == 0 && p.leaf->prev == nullptr          ? Edge::first
                : p.at == kRankMax && p.leaf->next == nullptr ? Edge::last
                                                              : Edge::none;
    bool first = p.at == 0;
    RankLeaf* right = split_leaf(t, &p, edge);
    put_slot(p.leaf, p.at, score, item);
    if (first) show_first(t, &p);
    add_sibling(t, &p, 1, right, edge);
}

// ---- erasing ----------------------------------------------------------------------------------

// The child at slot `at` + 1 of `parent` is emptied into the one at `at`, and freed.
static void merge(RankTree* t, RankInner* parent, uint32_t at) {
    RankNode *left = parent->children[at], *right = parent->children[at + 1];
    copy_slots(left, left->n, right, 0, right->n);
    left->n += right->n;
    parent->counts[at] += parent->counts[at + 1];
    if (left->level == 0) {
        RankLeaf *l = as_leaf(left), *r = as_leaf(right);
        l->next = r->next;
        if (l->next != nullptr) l->next->prev = l;
    }
    node_free(t, right);
    close_slot(parent, at + 1);
}

// Two neighbours that do not fit into one get equally many slots.
static void balance(RankInner* parent, uint32_t at) {
    RankNode *left = parent->children[at], *right = parent->children[at + 1];
    uint32_t want = (left->n + right->n) / 2;
    if (left->n < want) {
        uint32_t n = want - left->n;
        copy_slots(left, left->n, right, 0, n);
        copy_slots(right, 0, right, n, right->n - n);
        right->n -= n;
    } else {
        uint32_t n = left->n - want;
        copy_slots(right, n, right, 0, right->n);
        copy_slots(right, 0, left, want, n);
        right->n += n;
    }
    left->n = want;
    show_child(parent, at, left);
    show_child(parent, at + 1, right);
}

static void join_low_nodes(RankTree* t, const Path* p) {
    RankNode* node = p->leaf;
    for (uint32_t level = 1; level <= t->root->level && node->n < kRankLow; level++) {
        RankInner* parent = p->inner[level];
        uint32_t at = p->slots[level];
        if (at != 0) at--;  // with its left neighbour, if it has one
        if (parent->children[at]->n + parent->children[at + 1]->n <= kRankMax) {
            merge(t, parent, at);
        } else {
            balance(parent, at);
        }
        node = parent;
    }
    RankNode* root = t->root;
    if (root->level != 0 && root->n == 1) {
        t->root = as_inner(root)->children[0];
        node_free(t, root);
    }
}

void ranktree_erase(RankTree* t, double score, Bytes member) {
    RP_ASSERT(t->root != nullptr);
    Path p = find_path(t, score, member);
    RP_ASSERT(p.exact);
    close_slot(p.leaf, p.at);
    add_to_counts(t, &p, -1);
    if (--t->count == 0) {
        node_free(t, t->root);
        t->root = nullptr;
        return;
    }
    if (p.at == 0) show_first(t, &p);
    join_low_nodes(t, &p);
}

// ---- changing a score -------------------------------------------------------------------------

// Whether slot `at` may have `score` without leaving its place among its neighbours in the leaf.
static bool stays(const RankLeaf* leaf, uint32_t at, double score, Bytes member) {
    bool after = at == 0 ? leaf->prev == nullptr : compare_slot(leaf, at - 1, score, member) < 0;
    bool last = at + 1 == leaf->n;
    bool before = last ? leaf->next == nullptr : compare_slot(leaf, at + 1, score, member) > 0;
    return after && before;
}

void ranktree_move(RankTree* t, double old, const Item* item, double fresh) {
    Bytes member = item_key(item);
    Path p = find_path(t, old, member);
    RP_ASSERT(p.exact);
    if (stays(p.leaf, p.at, fresh, member)) {
        p.leaf->scores[p.at] = fresh;
        if (p.at == 0) show_first(t, &p);
        return;
    }
    ranktree_erase(t, old, member);
    ranktree_insert(t, fresh, item);
}

// ---- looking ----------------------------------------------------------------------------------

double ranktree_score(RankAt at) { return at.leaf->scores[at.slot]; }
const Item* ranktree_item(RankAt at) { return at.leaf->items[at.slot]; }

RankAt ranktree_next(RankAt at) {
    if (at.slot + 1 < at.leaf->n) return {at.leaf, at.slot + 1};
    return {as_leaf(at.leaf)->next, 0};
}

RankAt ranktree_prev(RankAt at) {
    if (at.slot != 0) return {at.leaf, at.slot - 1};
    RankLeaf* prev = as_leaf(at.leaf)->prev;
    return {prev, prev != nullptr ? prev->n - 1 : 0};
}

RankAt ranktree_at(const RankTree* t, size_t rank) {
    if (rank >= t->count) return {};
    RankNode* node = t->root;
    while (node->level != 0) {
        const RankInner* inner = as_inner(node);
        uint32_t i = 0;
        for (; rank >= inner->counts[i]; i++)
            rank -= inner->counts[i];
        node = inner->children[i];
    }
    return {node, static_cast<uint32_t>(rank)};
}

static size_t count_left_of(const RankInner* node, uint32_t slot) {
    size_t sum = 0;
    for (uint32_t i = 0; i < slot; i++)
        sum += node->counts[i];
    return sum;
}

size_t ranktree_rank(const RankTree* t, double score, Bytes member) {
    if (t->root == nullptr) return 0;
    Path p = find_path(t, score, member);
    size_t rank = p.at;
    for (uint32_t level = 1; level <= t->root->level; level++)
        rank += count_left_of(p.inner[level], p.slots[level]);
    return rank;
}

static uint32_t slots_before(const RankNode* node, RankBefore before, const void* arg) {
    uint32_t low = 0, high = node->n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (before(node->scores[middle], item_key(node->items[middle]), arg)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t ranktree_count_before(const RankTree* t, RankBefore before, const void* arg) {
    if (t->root == nullptr) return 0;
    size_t rank = 0;
    const RankNode* node = t->root;
    while (node->level != 0) {
        uint32_t slot = slots_before(node, before, arg);
        if (slot == 0) return rank;  // not even the least of them
        rank += count_left_of(as_inner(node), slot - 1);
        node = as_inner(node)->children[slot - 1];
    }
    return rank + slots_before(node, before, arg);
}

// ---- freeing ----------------------------------------------------------------------------------

// Frees the last leaf and every inner node that has no child left then.
static void free_last_leaf(RankTree* t) {
    RankInner* way[kDepthMax];
    RankNode* node = t->root;
    uint32_t height = node->level;
    while (node->level != 0) {
        way[node->level] = as_inner(node);
        node = as_inner(node)->children[node->n - 1];
    }
    t->count -= node->n;
    node_free(t, node);
    for (uint32_t level = 1; level <= height; level++) {
        if (--way[level]->n != 0) return;
        node_free(t, way[level]);
    }
    t->root = nullptr;
}

bool ranktree_free_some(RankTree* t, size_t elements) {
    for (size_t freed = 0; t->root != nullptr && freed <= elements; freed += kRankMax)
        free_last_leaf(t);
    return t->root == nullptr;
}

void ranktree_free(RankTree* t) { ranktree_free_some(t, SIZE_MAX); }

// ---- checking ---------------------------------------------------------------------------------

struct Checker {
    const RankLeaf* last = nullptr;  // leaf visited before
    size_t cost = 0;
};

static void check_order(const RankNode* node) {
    for (uint32_t i = 0; i + 1 < node->n; i++) {
        RP_ASSERT(compare_slot(node, i, node->scores[i + 1], item_key(node->items[i + 1])) < 0);
    }
}

static void check_leaf(const RankLeaf* leaf, Checker* c) {
    RP_ASSERT(leaf->prev == c->last);
    if (c->last != nullptr) {
        RP_ASSERT(c->last->next == leaf);
        RP_ASSERT(compare_slot(c->last, c->last->n - 1, leaf->scores[0], item_key(leaf->items[0])) <
                  0);
    }
    c->last = leaf;
}

static void check_node(const RankTree* t, const RankNode* node, Checker* c) {
    uint32_t least = node == t->root ? (node->level != 0 ? 2 : 1) : kRankLeast;
    RP_ASSERT(node->n >= least && node->n <= kRankMax);
    c->cost += mem_cost(node_size(node->level));
    check_order(node);
    if (node->level == 0) return check_leaf(as_leaf(node), c);
    for (uint32_t i = 0; i < node->n; i++) {
        const RankNode* child = as_inner(node)->children[i];
        RP_ASSERT(child->level + 1 == node->level);
        RP_ASSERT(elements_below(child) == as_inner(node)->counts[i]);
        RP_ASSERT(child->items[0] == node->items[i] && child->scores[0] == node->scores[i]);
        check_node(t, child, c);
    }
}

void ranktree_check(const RankTree* t) {
    if (t->root == nullptr) {
        RP_ASSERT(t->count == 0 && t->node_cost == 0);
        return;
    }
    Checker c;
    check_node(t, t->root, &c);
    RP_ASSERT(c.last->next == nullptr && c.cost == t->node_cost);
    RP_ASSERT(elements_below(t->root) == t->count);
}

}  // namespace rp
