// Certificates made on the spot. Also used by the fuzz target.
#pragma once
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace rp {

// A self-signed certificate and its key in a folder of their own.
struct TestCertificate {
    std::string dir, cert, key;

    explicit TestCertificate(const char* name = "localhost") {
        dir = P_tmpdir "/rp-tls-XXXXXX";
        if (mkdtemp(dir.data()) == nullptr) abort();
        cert = dir + "/cert.pem";
        key = dir + "/key.pem";
        EVP_PKEY* pair = EVP_EC_gen("P-256");
        X509* x = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), -3600);
        X509_gmtime_adj(X509_getm_notAfter(x), 3600);
        X509_set_pubkey(x, pair);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
        X509_set_issuer_name(x, X509_get_subject_name(x));
        if (X509_sign(x, pair, EVP_sha256()) == 0) abort();
        FILE* file = fopen(cert.c_str(), "w");
        PEM_write_X509(file, x);
        fclose(file);
        file = fopen(key.c_str(), "w");
        PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
        fclose(file);
        X509_free(x);
        EVP_PKEY_free(pair);
    }
    TestCertificate(const TestCertificate&) = delete;
    ~TestCertificate() {
        unlink(cert.c_str());
        unlink(key.c_str());
        rmdir(dir.c_str());
    }

    // As lines of a configuration file.
    std::string settings() const {
        return "tls-cert-file " + cert + "\ntls-key-file " + key + "\ntls-auth-clients no\n";
    }
};

}  // namespace rp
