// What a stranger may send at a TLS port: raw bytes instead of a handshake, or, behind a good
// handshake, records with some bytes changed. Fed in pieces; whatever happens, H1 to H3 of
// net/tls.h hold, and a failure is final.
//
//   input: flags (bit 0: after a handshake, bit 1: TLS 1.2), size of a piece, then bytes. After a
//   handshake: position (2 bytes), mask, text to send; or raw bytes if mask is 0.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "conf/value.h"
#include "net/tls.h"
#include "unit/net/tls_fixture.h"

namespace {

void require(bool fact, const char* what) {
    if (fact) return;
    fprintf(stderr, "tls: %s\n", what);
    abort();
}

// Made once: keys and certificates are not what is tried here.
struct World {
    rp::Config* config = nullptr;
    rp::TlsContext* context = nullptr;
    rp::TlsBuffers buffers;
    SSL_CTX* client = SSL_CTX_new(TLS_client_method());
    World() {
        rp::TestCertificate files;
        rp::ConfigErr err;
        char why[256];
        std::string text = files.settings();
        require(rp::config_new(&config) == rp::Status::ok, "config_new");
        require(rp::config_load_text(config, rp::bytes_of(text), "fuzz", false, &err), err.text);
        require(rp::tls_context_new(config, &context, why, sizeof why), why);
        require(rp::tls_buffers_init(&buffers), "buffers");
    }
};

World* world() {
    static World* made = new World;  // Never freed.
    return made;
}

// Feeds all of it and reads what comes out.
void talk(rp::Tls* t, const uint8_t* data, size_t size, size_t piece) {
    rp::TlsBuffers* b = &world()->buffers;
    static char plain[rp::kTlsIn + 2 * rp::kTlsRecord];
    rp::TlsStep step = rp::TlsStep::more;
    for (size_t at = 0; at < size && step == rp::TlsStep::more;) {
        size_t n = size - at < piece ? size - at : piece, sum = 0, got;
        memcpy(b->in, data + at, n);
        at += n;
        rp::tls_feed(t, b->in, n);
        do {
            got = 0;
            if (rp::tls_established(t)) {
                step = rp::tls_read(t, plain, sizeof plain, &got);
            } else {
                step = rp::tls_handshake(t);
            }
            sum += got;
            require(b->out_len <= rp::kTlsOut, "H3: out stays inside its buffer");
            if (step == rp::TlsStep::send) b->out_len = 0;
        } while (step == rp::TlsStep::done || step == rp::TlsStep::send);
        require(sum <= n + rp::kTlsRecord, "H2: plain bytes are bounded by what was fed");
    }
    if (step != rp::TlsStep::failed) return;
    char why[128] = "", byte;
    rp::tls_why(t, why, sizeof why);
    require(why[0] != '\0', "a failure has a reason");
    size_t n;
    require(rp::tls_read(t, &byte, 1, &n) == rp::TlsStep::failed, "a failure is final");
    require(rp::tls_handshake(t) == rp::TlsStep::failed, "a failure is final");
}

struct Client {
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL* ssl = SSL_new(world()->client);
    explicit Client(int version) {
        SSL_set_max_proto_version(ssl, version);
        SSL_set_bio(ssl, in, out);
        SSL_set_connect_state(ssl);
    }
    ~Client() { SSL_free(ssl); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    size_t take(uint8_t* to, size_t cap) {
        int n = BIO_read(out, to, static_cast<int>(cap));
        return n > 0 ? static_cast<size_t>(n) : 0;
    }
};

void shake(rp::Tls* t, Client* c) {
    rp::TlsBuffers* b = &world()->buffers;
    uint8_t bytes[8192];
    for (int i = 0; i < 6; i++) {
        SSL_do_handshake(c->ssl);
        size_t n = c->take(bytes, sizeof bytes);
        if (n > 0) talk(t, bytes, n, sizeof bytes);
        BIO_write(c->in, b->out, static_cast<int>(b->out_len));
        b->out_len = 0;
    }
    require(rp::tls_established(t), "a good handshake is finished");
}

void established(rp::Tls* t, bool old, const uint8_t* data, size_t size, size_t piece) {
    Client c(old ? TLS1_2_VERSION : TLS1_3_VERSION);
    shake(t, &c);
    if (size < 4) return;
    size_t at = static_cast<size_t>(data[0]) << 8 | data[1];
    uint8_t mask = data[2];
    if (mask == 0) return talk(t, data + 3, size - 3, piece);
    static uint8_t records[128 * 1024];
    SSL_write(c.ssl, data + 3, static_cast<int>(size - 3 < 16384 ? size - 3 : 16384));
    size_t n = c.take(records, sizeof records);
    records[at % n] ^= mask;
    talk(t, records, n, piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    World* w = world();
    w->buffers.out_len = 0;
    rp::Tls* t = rp::tls_new(w->context, &w->buffers);
    require(t != nullptr, "tls_new");
    size_t piece = data[1] == 0 ? rp::kTlsIn : data[1];
    if (data[0] & 1) {
        established(t, data[0] & 2, data + 2, size - 2, piece);
    } else {
        talk(t, data + 2, size - 2, piece);
    }
    rp::tls_free(t);
    return 0;
}
