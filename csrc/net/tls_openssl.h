// net/tls_openssl.h: what tls.cc and tls_context.cc share.
#pragma once
#include <openssl/ssl.h>

#include "net/tls.h"

namespace rp {

// A TlsContext is an SSL_CTX, which counts its references itself.
inline SSL_CTX* tls_openssl(TlsContext* c) { return reinterpret_cast<SSL_CTX*>(c); }

}  // namespace rp
