// types/ranktree.h: the order of a large sorted set: a B+ tree over (score, member) that counts, so
// that a rank is found, and found again from a member, in O(log N).
//
//   inner node   up to kRankMax children: the number of elements below each, its least element
//   leaf         up to kRankMax elements {score, Item*}, linked to the next and previous leaf
//
// Scores lie together, apart from the items, so that a search inside a node looks at two or three
// cache lines, and at a member only where scores are equal. A leaf takes 528 bytes: 17 an element
// when full, 20 after insertion in order (either way), about 25 after insertion at random.
//
// Members live in the Dict of the sorted set (types/dict.h); the tree borrows their Items.
//
// Invariants  R1  elements ascend by score, then by member bytes (memcmp, shorter first).
//             R2  the count of every child is the number of elements below it, and the element
//                 beside it is the first of those.
//             R3  all leaves are equally deep; every node but the root is at least an eighth full,
//                 an inner root has two children.
// Ownership   the tree owns its nodes, not the items: an element leaves before its item is freed.
// Threads     none inside. A RankAt is good until the next write.
// Limits      2^31 elements; scores are not NaN. -0.0 and 0.0 are one score.
#pragma once
#include "types/dict.h"

namespace rp {

struct RankNode;  // opaque

struct RankTree {
    RankNode* root = nullptr;
    size_t count = 0;
    size_t node_cost = 0;  // mem_cost of all nodes
};

// An element of the tree: leaf null = outside.
struct RankAt {
    RankNode* leaf = nullptr;
    uint32_t slot = 0;
};

void ranktree_free(RankTree* t);  // leaves an empty tree
// Frees nodes of about `elements` elements, at least one; true once all are gone. For slices:
// between two calls the tree is good for nothing else.
bool ranktree_free_some(RankTree* t, size_t elements);

// REQUIRES: not there yet / there. The member is the item's key.
void ranktree_insert(RankTree* t, double score, const Item* item);
void ranktree_erase(RankTree* t, double score, Bytes member);
// The item's score becomes `fresh`. REQUIRES: there under `old`.
void ranktree_move(RankTree* t, double old, const Item* item, double fresh);

double ranktree_score(RankAt at);
const Item* ranktree_item(RankAt at);
RankAt ranktree_next(RankAt at);
RankAt ranktree_prev(RankAt at);
// By rank, 0 = least. Outside when rank >= count.
RankAt ranktree_at(const RankTree* t, size_t rank);
// Number of elements before (score, member).
size_t ranktree_rank(const RankTree* t, double score, Bytes member);

// The number of elements for which `before` holds, where it holds for a prefix of the order (a
// bound of ZRANGEBYSCORE or ZRANGEBYLEX). O(log N) calls.
using RankBefore = bool (*)(double score, Bytes member, const void* arg);
size_t ranktree_count_before(const RankTree* t, RankBefore before, const void* arg);

void ranktree_check(const RankTree* t);  // R1 to R3; asserts

}  // namespace rp
