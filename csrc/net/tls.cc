// The state of a connection. Contexts are made in tls_context.cc.
#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <cstdio>
#include <new>

#include "base/assert.h"
#include "mem/mem.h"
#include "net/tls_openssl.h"

namespace rp {

struct Tls {
    SSL* ssl = nullptr;
    TlsBuffers* buffers = nullptr;
    const char* in = nullptr;  // fed and not yet taken
    size_t in_len = 0;
    bool established = false;
    bool dead = false;        // OpenSSL must not be called again
    unsigned long error = 0;  // of OpenSSL; the first of the failed call
};

// ---- the two ends of the cable ------------------------------------------------------------------
// Reads take what was fed, writes add to buffers.out.

static int bio_read(BIO* b, char* out, int cap) {
    Tls* t = static_cast<Tls*>(BIO_get_data(b));
    BIO_clear_retry_flags(b);
    if (t->in_len == 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    size_t n = static_cast<size_t>(cap) < t->in_len ? static_cast<size_t>(cap) : t->in_len;
    memcpy(out, t->in, n);
    t->in += n;
    t->in_len -= n;
    return static_cast<int>(n);
}

static int bio_write(BIO* b, const char* bytes, int len) {
    TlsBuffers* to = static_cast<Tls*>(BIO_get_data(b))->buffers;
    BIO_clear_retry_flags(b);
    size_t n = static_cast<size_t>(len), room = kTlsOut - to->out_len;
    if (n > room) n = room;
    if (n == 0) {
        BIO_set_retry_write(b);
        return -1;
    }
    memcpy(to->out + to->out_len, bytes, n);
    to->out_len += n;
    return static_cast<int>(n);
}

static long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

static int bio_create(BIO* b) {
    BIO_set_init(b, 1);
    return 1;
}

static BIO_METHOD* g_bio_method;

static void bio_method_make() {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rustypotato");
    if (m == nullptr) return;
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    BIO_meth_set_create(m, bio_create);
    g_bio_method = m;
}

static const BIO_METHOD* bio_method() {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, bio_method_make);
    return g_bio_method;
}

// ---- buffers ------------------------------------------------------------------------------------

bool tls_buffers_init(TlsBuffers* b) {
    auto* block = static_cast<char*>(mem_try_alloc(kTlsBuffersBytes));
    if (block == nullptr) return false;
    *b = {.in = block, .out = block + kTlsIn, .plain = block + kTlsIn + kTlsOut};
    return true;
}

void tls_buffers_deinit(TlsBuffers* b) {
    mem_free(b->in, kTlsBuffersBytes);
    *b = {};
}

// ---- life ---------------------------------------------------------------------------------------

Tls* tls_new(TlsContext* borrow, TlsBuffers* buffers) {
    void* memory = mem_try_alloc(sizeof(Tls));
    if (memory == nullptr) return nullptr;
    Tls* t = new (memory) Tls;
    t->buffers = buffers;
    t->ssl = SSL_new(tls_openssl(borrow));
    BIO* bio = t->ssl != nullptr && bio_method() != nullptr ? BIO_new(bio_method()) : nullptr;
    if (bio == nullptr) {
        ERR_clear_error();
        tls_free(t);
        return nullptr;
    }
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_free(Tls* take) {
    if (take == nullptr) return;
    SSL_free(take->ssl);
    mem_free(take, sizeof(Tls));
}

// ---- steps --------------------------------------------------------------------------------------

static TlsStep failed(Tls* t) {
    t->dead = true;
    t->error = ERR_peek_error();
    ERR_clear_error();
    return TlsStep::failed;
}

// What a call that returned `result` waits for.
static TlsStep step_of(Tls* t, int result) {
    switch (SSL_get_error(t->ssl, result)) {
        case SSL_ERROR_WANT_READ: RP_DCHECK(t->in_len == 0); return TlsStep::more;
        case SSL_ERROR_WANT_WRITE: return TlsStep::send;
        case SSL_ERROR_ZERO_RETURN: t->in_len = 0; return TlsStep::closed;
        default: return failed(t);
    }
}

void tls_feed(Tls* t, const char* bytes, size_t n) {
    RP_DCHECK(t->in_len == 0);
    t->in = bytes;
    t->in_len = n;
}

TlsStep tls_handshake(Tls* t) {
    if (t->dead) return TlsStep::failed;
    ERR_clear_error();  // The queue is the thread's: SSL_get_error looks at it.
    int result = SSL_do_handshake(t->ssl);
    if (result != 1) return step_of(t, result);
    t->established = true;
    return TlsStep::done;
}

bool tls_established(const Tls* t) { return t->established; }

TlsStep tls_read(Tls* t, char* out, size_t cap, size_t* n) {
    *n = 0;
    if (t->dead) return TlsStep::failed;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, out, cap, n);
    return RP_LIKELY(result == 1) ? TlsStep::done : step_of(t, result);
}

bool tls_write(Tls* t, Bytes b) {
    RP_DCHECK(b.len > 0 && b.len <= kTlsRecord);
    if (t->dead) return false;
    ERR_clear_error();
    size_t n = 0;
    if (RP_LIKELY(SSL_write_ex(t->ssl, b.ptr, b.len, &n) == 1 && n == b.len)) return true;
    failed(t);
    return false;
}

void tls_goodbye(Tls* t) {
    if (t->dead || !t->established) return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
    t->dead = true;
}

void tls_why(const Tls* t, char* out, size_t size) {
    long verified = SSL_get_verify_result(t->ssl);
    const char* reason = ERR_reason_error_string(t->error);
    if (reason == nullptr) reason = "the connection broke off";
    switch (ERR_GET_LIB(t->error) == ERR_LIB_SSL ? ERR_GET_REASON(t->error) : 0) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            snprintf(out, size, "%s: %s", reason, X509_verify_cert_error_string(verified));
            return;
        case SSL_R_HTTP_REQUEST:
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
            snprintf(out, size, "%s: it does not speak TLS, and this port is tls-port", reason);
            return;
        default: snprintf(out, size, "%s", reason);
    }
}

}  // namespace rp
