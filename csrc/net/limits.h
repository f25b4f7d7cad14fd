// net/limits.h: every bound of the transport in one place.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

constexpr size_t kLoopsMax = 128;

// Input. One read buffer per loop; a client owns bytes only while a command of it is incomplete.
constexpr size_t kReadBuffer = 128 * 1024;
// Partial commands up to this length are kept in a block of their size and copied in front of the
// next read; longer ones get a growing buffer that is read into directly.
constexpr size_t kPartialSmall = 16 * 1024;
// One read into a big argument.
constexpr size_t kBigRead = 1024 * 1024;
// What one client may read, and how many batches of kBatchMax commands it may run, in one turn.
constexpr size_t kTurnReadBytes = 256 * 1024;
constexpr size_t kTurnBatches = 32;
// Argument slots of a batch: 64 commands of 16 words.
constexpr size_t kArgSlots = 1024;

// Output. Above kOutStop unsent bytes a client is neither read nor executed, until kOutResume is
// left.
constexpr size_t kOutStop = 1024 * 1024;
constexpr size_t kOutResume = 256 * 1024;
// What a client that has not logged in, and has to, may leave unread.
constexpr size_t kStrangerOut = 16 * 1024;
constexpr size_t kIovMax = 64;
// After so many bytes in one go the others get their turn.
constexpr size_t kFlushBytes = 4 * 1024 * 1024;
// Reply chunks kept by a loop for its next turns.
constexpr size_t kChunksKept = 64;

// Accepting.
constexpr int kAcceptsPerTurn = 256;
constexpr int64_t kAcceptPauseMs = 100;  // after EMFILE and friends
constexpr int64_t kAcceptLogMs = 5000;   // one line about it per so many milliseconds
constexpr size_t kListenersMax =
    33;  // 16 addresses, each perhaps in two families, and a Unix socket
constexpr size_t kFdsReserved = 64;  // descriptors beside those of clients

// TLS. How long a handshake may take; records that wait for the socket, when TLS itself (keys
// renewed, alerts) adds to them; lines of log a second about clients that did not get in.
constexpr int64_t kHandshakeMs = 10000;
constexpr size_t kTlsUnsentMax = 128 * 1024;
constexpr uint64_t kRefusedLogsMax = 100;

// Stopping: how long unsent replies may keep a loop alive.
constexpr int64_t kStopFlushMs = 1000;
// ... and, beyond that, replies that wait for the log.
constexpr int64_t kStopHeldMs = 5000;

}  // namespace rp
