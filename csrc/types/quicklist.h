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

// How large a node may get: list-max-listpack-size. Positive: elements, of 8 KiB in all. Negative
// -1..-5: 4, 8, 16, 32, 64 KiB (the allocator's header included).
struct ListLimits {
    size_t elements;  // SIZE_MAX: no limit
    size_t bytes;
};
ListLimits list_limits(int64_t setting);
// Does a run with room for one more have room for `what`?
inline bool list_fits(size_t run_count, size_t run_len, Bytes what, ListLimits limits) {
    return run_count < limits.elements && what.len < limits.bytes &&
           run_len + lp_element_size(what.len) <= limits.bytes;
}

struct ListNode {
    ListNode* next;
    ListNode* prev;
    size_t count;  // of lp: counting nodes does not touch the runs
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
// With one node made of a run that is not empty. *take is empty afterwards.
Quicklist* quicklist_from(Buf* take);
// The run of the only node; *take is gone.
Buf quicklist_into(Quicklist* take);
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

// `what` must not point into the list, here and below.
void quicklist_push(Quicklist* q, bool front, Bytes what, ListLimits limits);
void quicklist_insert(Quicklist* q, ListAt place, bool after, Bytes what, ListLimits limits);
void quicklist_replace(Quicklist* q, ListAt place, Bytes what, ListLimits limits);
// Removes n elements from `place` on (fewer if it ends before); returns the place of what follows.
ListAt quicklist_erase(Quicklist* q, ListAt place, size_t n);

void quicklist_check(const Quicklist* q);  // Q1; asserts

}  // namespace rp
