// types/quicklist.h: a large list: a chain of listpacks, each of bounded size, so that both ends
// are O(1) and the middle is found by counting nodes.
//
//   head -> [ listpack <= 8 KiB ] <-> [ listpack ] <-> [ one large element ] <-> ... <- tail
//
// An element larger than a node may be gets a node of its own.
//
// Invariants  Q1  no node is empty; counts and bytes are the sums of the nodes'.
//             Q2  a node with more than one element is within the limit it was filled under.
// Ownership   the Quicklist owns its nodes. Bytes into them are good until the next write.
// Threads     none inside.
#pragma once
#include "types/listpack.h"

namespace rp {

// How large a node may get: list-max-listpack-size. Positive: elements. Negative -1..-5: 4, 8, 16,
// 32, 64 KiB.
struct ListLimits {
    size_t elements;  // SIZE_MAX: no limit
    size_t bytes;
};
ListLimits list_limits(int64_t setting);

struct ListNode {
    ListNode* next;
    ListNode* prev;
    Buf lp;
};

struct Quicklist {
    ListNode* head = nullptr;
    ListNode* tail = nullptr;
    size_t count = 0;  // elements
    size_t nodes = 0;
    size_t node_cost = 0;  // mem_cost of all nodes and their listpacks
};

Quicklist* quicklist_new();
void quicklist_free(Quicklist* take);
// Frees at most `elements` elements' worth of nodes (at least one node); true once it is all gone.
bool quicklist_free_some(Quicklist* take, size_t elements);
Quicklist* quicklist_clone(const Quicklist* q);
size_t quicklist_cost(const Quicklist* q);

// A place in the list. node null: outside.
struct ListAt {
    ListNode* node = nullptr;
    size_t at = kLpEnd;
};
// From -1 at the back. O(nodes).
ListAt quicklist_seek(const Quicklist* q, int64_t index);
ListAt quicklist_next(ListAt at);
ListAt quicklist_prev(ListAt at);
inline Bytes quicklist_get(ListAt at) { return lp_get(buf_bytes(&at.node->lp), at.at); }

void quicklist_push(Quicklist* q, bool front, Bytes what, ListLimits limits);
void quicklist_insert(Quicklist* q, ListAt place, bool after, Bytes what, ListLimits limits);
void quicklist_replace(Quicklist* q, ListAt place, Bytes what, ListLimits limits);
// Removes n elements from `place` on; returns the place of what follows.
ListAt quicklist_erase(Quicklist* q, ListAt place, size_t n);

void quicklist_check(const Quicklist* q);  // Q1, Q2; asserts

}  // namespace rp
