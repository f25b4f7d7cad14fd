// Contexts: from settings to what OpenSSL wants. A failure says which setting is to blame.
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

#include "base/log.h"
#include "net/tls_openssl.h"

namespace rp {

constexpr size_t kTextMax = 4096;  // of a setting: a path, or a list of ciphers

struct Maker {
    const Config* config;
    SSL_CTX* ctx;
    char* why;
    size_t why_size;
    char text[kTextMax];  // of the setting in work
};

bool tls_is_context_setting(const char* name) {
    static const char* const kNames[] = {
        "tls-cert-file",
        "tls-key-file",
        "tls-key-file-pass",
        "tls-dh-params-file",
        "tls-ca-cert-file",
        "tls-ca-cert-dir",
        "tls-auth-clients",
        "tls-protocols",
        "tls-ciphers",
        "tls-ciphersuites",
        "tls-prefer-server-ciphers",
        "tls-session-caching",
        "tls-session-cache-size",
        "tls-session-cache-timeout",
    };
    for (const char* known : kNames) {
        if (strcmp(known, name) == 0) return true;
    }
    return false;
}

TlsContext* tls_context_ref(TlsContext* borrow) {
    SSL_CTX_up_ref(tls_openssl(borrow));
    return borrow;
}

void tls_context_unref(TlsContext* take) { SSL_CTX_free(tls_openssl(take)); }

// ---- errors -------------------------------------------------------------------------------------

// The first error of the queue is the cause; those behind it are where it surfaced.
static const char* cause() {
    unsigned long error = ERR_peek_error();
    if (error == 0) return "OpenSSL gives no reason";
    if (ERR_SYSTEM_ERROR(error)) return strerror(ERR_GET_REASON(error));
    if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
        return "not in PEM format";
    }
    const char* reason = ERR_reason_error_string(error);
    return reason != nullptr ? reason : "unknown OpenSSL error";
}

static bool fail(Maker* m, const char* setting, const char* reason) {
    if (m->text[0] != '\0') {
        snprintf(m->why, m->why_size, "%s %.256s: %s", setting, m->text, reason);
    } else {
        snprintf(m->why, m->why_size, "%s: %s", setting, reason);
    }
    return false;
}

// Into m->text. *set: it is not empty.
static bool read_setting(Maker* m, const char* name, bool* set) {
    size_t len = config_text(m->config, bytes_of(name), m->text, sizeof m->text);
    *set = len != 0;
    if (len < sizeof m->text) return true;
    m->text[0] = '\0';
    return fail(m, name, "longer than 4095 bytes");
}

// ---- certificate and key ------------------------------------------------------------------------

// Always set: without it OpenSSL would ask on the terminal.
static int give_password(char* out, int size, int, void* arg) {
    auto* c = static_cast<const Config*>(arg);
    size_t len = config_text(c, "tls-key-file-pass", out, static_cast<size_t>(size));
    return len < static_cast<size_t>(size) ? static_cast<int>(len) : 0;
}

static void warn_of_dates(const Maker* m) {
    const X509* certificate = SSL_CTX_get0_certificate(m->ctx);
    if (certificate == nullptr) return;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        RP_LOG_WARNING("tls-cert-file %.256s: the certificate has expired: clients will refuse it",
                       m->text);
    } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        RP_LOG_WARNING("tls-cert-file %.256s: the certificate is not valid yet", m->text);
    }
}

static bool use_certificate(Maker* m) {
    bool set;
    if (!read_setting(m, "tls-cert-file", &set)) return false;
    if (!set) return fail(m, "tls-cert-file", "TLS needs the server's certificate: not set");
    if (SSL_CTX_use_certificate_chain_file(m->ctx, m->text) != 1) {
        return fail(m, "tls-cert-file", cause());
    }
    warn_of_dates(m);
    return true;
}

static bool use_key(Maker* m) {
    bool set;
    if (!read_setting(m, "tls-key-file", &set)) return false;
    if (!set) return fail(m, "tls-key-file", "TLS needs the certificate's private key: not set");
    SSL_CTX_set_default_passwd_cb(m->ctx, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(m->ctx, const_cast<Config*>(m->config));
    bool done = SSL_CTX_use_PrivateKey_file(m->ctx, m->text, SSL_FILETYPE_PEM) == 1;
    // The context outlives the Config.
    SSL_CTX_set_default_passwd_cb_userdata(m->ctx, nullptr);
    SSL_CTX_set_default_passwd_cb(m->ctx, nullptr);
    if (!done || SSL_CTX_check_private_key(m->ctx) != 1) return fail(m, "tls-key-file", cause());
    return true;
}

// Without it there is no finite-field Diffie-Hellman; elliptic curves need nothing.
static bool use_dh_params(Maker* m) {
    bool set;
    if (!read_setting(m, "tls-dh-params-file", &set)) return false;
    if (!set) return true;
    BIO* file = BIO_new_file(m->text, "r");
    EVP_PKEY* params = file != nullptr ? PEM_read_bio_Parameters(file, nullptr) : nullptr;
    BIO_free(file);
    if (params == nullptr) {
        bool unread = ERR_SYSTEM_ERROR(ERR_peek_error());
        return fail(m, "tls-dh-params-file", unread ? cause() : "no Diffie-Hellman parameters");
    }
    if (SSL_CTX_set0_tmp_dh_pkey(m->ctx, params) == 1) return true;
    EVP_PKEY_free(params);
    return fail(m, "tls-dh-params-file", cause());
}

// ---- who is let in ------------------------------------------------------------------------------

static bool use_authorities(Maker* m) {
    bool file_set, dir_set;
    if (!read_setting(m, "tls-ca-cert-file", &file_set)) return false;
    if (file_set && SSL_CTX_load_verify_file(m->ctx, m->text) != 1) {
        return fail(m, "tls-ca-cert-file", cause());
    }
    if (!read_setting(m, "tls-ca-cert-dir", &dir_set)) return false;
    if (dir_set && SSL_CTX_load_verify_dir(m->ctx, m->text) != 1) {
        return fail(m, "tls-ca-cert-dir", cause());
    }
    // TlsClients of the row: no, yes, optional.
    int64_t ask = config_num(m->config->tls_auth_clients);
    int mode = ask == 0   ? SSL_VERIFY_NONE
               : ask == 1 ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                          : SSL_VERIFY_PEER;
    SSL_CTX_set_verify(m->ctx, mode, nullptr);
    if (mode == SSL_VERIFY_NONE || file_set || dir_set) return true;
    return fail(m, "tls-auth-clients",
                "clients are asked for certificates, so tls-ca-cert-file or tls-ca-cert-dir must "
                "name the authorities; or set tls-auth-clients no");
}

// ---- protocols and ciphers ----------------------------------------------------------------------

struct Protocol {
    const char* name;
    int version;
    uint64_t off;
};
static constexpr Protocol kProtocols[] = {
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};
constexpr size_t kProtocolCount = 4;
constexpr uint32_t kProtocolsDefault = 1u << 2 | 1u << 3;

// A bit per row of kProtocols; 0: a word is none of them.
static uint32_t protocols_of(char* text) {
    uint32_t chosen = 0;
    char* save = nullptr;
    for (char* w = strtok_r(text, " ", &save); w != nullptr; w = strtok_r(nullptr, " ", &save)) {
        uint32_t bit = 0;
        for (size_t i = 0; i < kProtocolCount; i++) {
            if (strcasecmp(w, kProtocols[i].name) == 0) bit = 1u << i;
        }
        if (bit == 0) return 0;
        chosen |= bit;
    }
    return chosen;
}

static bool use_protocols(Maker* m) {
    bool set;
    if (!read_setting(m, "tls-protocols", &set)) return false;
    char words[kTextMax];
    memcpy(words, m->text, sizeof words);
    uint32_t chosen = set ? protocols_of(words) : kProtocolsDefault;
    if (chosen == 0) {
        return fail(m, "tls-protocols", "use any of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
    }
    // Limits, so that the system's own lower bound does not count; options, for the gaps.
    int lowest = 0, highest = 0;
    for (size_t i = 0; i < kProtocolCount; i++) {
        if ((chosen & 1u << i) == 0) {
            SSL_CTX_set_options(m->ctx, kProtocols[i].off);
            continue;
        }
        if (lowest == 0) lowest = kProtocols[i].version;
        highest = kProtocols[i].version;
    }
    if (SSL_CTX_set_min_proto_version(m->ctx, lowest) == 1 &&
        SSL_CTX_set_max_proto_version(m->ctx, highest) == 1) {
        return true;
    }
    return fail(m, "tls-protocols", "this OpenSSL does not have them");
}

static bool use_ciphers(Maker* m) {
    bool set;
    if (!read_setting(m, "tls-ciphers", &set)) return false;
    if (set && SSL_CTX_set_cipher_list(m->ctx, m->text) != 1) {
        return fail(m, "tls-ciphers", cause());
    }
    if (!read_setting(m, "tls-ciphersuites", &set)) return false;
    if (set && SSL_CTX_set_ciphersuites(m->ctx, m->text) != 1) {
        return fail(m, "tls-ciphersuites", cause());
    }
    if (config_num(m->config->tls_prefer_server_ciphers) != 0) {
        SSL_CTX_set_options(m->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }
    return true;
}

static void use_sessions(Maker* m) {
    static constexpr unsigned char kName[] = "rustypotato";
    if (config_num(m->config->tls_session_caching) == 0) {
        SSL_CTX_set_session_cache_mode(m->ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(m->ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(m->ctx, 0);
        return;
    }
    SSL_CTX_set_session_cache_mode(m->ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(m->ctx, config_num(m->config->tls_session_cache_size));
    SSL_CTX_set_timeout(m->ctx, config_num(m->config->tls_session_cache_timeout));
    SSL_CTX_set_session_id_context(m->ctx, kName, sizeof kName - 1);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool make(Maker* m) {
    SSL_CTX_set_options(m->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Clients at rest own no record buffers.
    SSL_CTX_set_mode(m->ctx, SSL_MODE_RELEASE_BUFFERS);
    if (!use_certificate(m) || !use_key(m) || !use_authorities(m) || !use_protocols(m) ||
        !use_ciphers(m) || !use_dh_params(m)) {
        return false;
    }
    use_sessions(m);
    return true;
}

bool tls_context_new(const Config* c, TlsContext** out, char* why, size_t why_size) {
    *out = nullptr;
    ERR_clear_error();
    Maker m = {c, SSL_CTX_new(TLS_server_method()), why, why_size, {}};
    if (m.ctx == nullptr) return fail(&m, "TLS", cause());
    bool done = make(&m);
    OPENSSL_cleanse(m.text, sizeof m.text);
    ERR_clear_error();
    if (!done) {
        SSL_CTX_free(m.ctx);
        return false;
    }
    *out = reinterpret_cast<TlsContext*>(m.ctx);
    return true;
}

}  // namespace rp
