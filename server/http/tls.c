/* GnuTLS under libmicrohttpd: its daemon keeps the certificate that it was started with, so each new connection is
 * handed ours before its handshake. Credentials that were replaced stay until the end, for connections that began with
 * them; there are as many as the files had contents. */
#include "server/http/tls.h"

#include "datacube/base/instant.h"
#include "datacube/base/logger.h"
#include "server/commands/command.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEM_MOST = 1 << 20 };

/* One content of the two files. */
struct tls_identity {
  struct tls_identity *older;
  struct buffer certificate, key; /* PEM */
  gnutls_certificate_credentials_t credentials;
};

struct tls {
  _Atomic(struct tls_identity *) newest;
};

static void identity_free(struct tls_identity *identity)
{
  if (identity->credentials != NULL)
    gnutls_certificate_free_credentials(identity->credentials);
  if (identity->key.data != NULL)
    sodium_memzero(identity->key.data, identity->key.length);
  buffer_free(&identity->certificate);
  buffer_free(&identity->key);
  free(identity);
}

static int refuse(struct error *error, const char *path, const char *what)
{
  return error_set(error, ERROR_ServerConfigInvalid, "%s: %s", path, what);
}

static int read_pem(const char *path, struct buffer *out, struct error *error)
{
  struct error inner = {0};
  if (command_read_file(path, PEM_MOST, out, &inner) != 0)
    return error_set(error, ERROR_ServerConfigInvalid, "%s", inner.message);
  return out->length > 0 ? 0 : refuse(error, path, "the file is empty");
}

static gnutls_datum_t datum_of(const struct buffer *text)
{
  return (gnutls_datum_t){(unsigned char *)text->data, (unsigned)text->length};
}

/* Warns of a certificate that clients will not take today. */
static void tell_dates(const char *path, const struct buffer *pem)
{
  gnutls_x509_crt_t certificate;
  const gnutls_datum_t text = datum_of(pem);
  if (gnutls_x509_crt_init(&certificate) != 0)
    return;
  if (gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM) == 0) {
    const time_t now = time(NULL), end = gnutls_x509_crt_get_expiration_time(certificate);
    const bool is_good = gnutls_x509_crt_get_activation_time(certificate) <= now && now < end;
    char date[40];
    instant_format((int64_t)end * MS_PER_SECOND, CALENDAR_GREGORIAN, date);
    log_message(is_good ? LOG_INFO : LOG_WARNING, "TLS: the certificate of %s is %s; it ends at %s", path,
                is_good ? "in use" : "not valid today", date);
  }
  gnutls_x509_crt_deinit(certificate);
}

static int make_credentials(struct tls_identity *identity, const char *certificate_path, const char *key_path,
                            struct error *error)
{
  const gnutls_datum_t certificate = datum_of(&identity->certificate), key = datum_of(&identity->key);
  gnutls_x509_crt_t *chain = NULL;
  gnutls_x509_privkey_t private_key;
  unsigned count = 0;
  int status = gnutls_x509_crt_list_import2(&chain, &count, &certificate, GNUTLS_X509_FMT_PEM, 0);
  if (status < 0)
    return refuse(error, certificate_path, "no certificate in PEM form");
  for (unsigned i = 0; i < count; i++)
    gnutls_x509_crt_deinit(chain[i]);
  gnutls_free(chain);
  if (gnutls_x509_privkey_init(&private_key) != 0)
    return error_memory(error);
  status = gnutls_x509_privkey_import2(private_key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
  gnutls_x509_privkey_deinit(private_key);
  if (status < 0)
    return refuse(error, key_path, "no private key in PEM form, without a password");
  if (gnutls_certificate_allocate_credentials(&identity->credentials) != 0)
    return error_memory(error);
  status = gnutls_certificate_set_x509_key_mem(identity->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
  if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
    return refuse(error, key_path, "the key is not that of the certificate");
  return status < 0 ? refuse(error, certificate_path, gnutls_strerror(status)) : 0;
}

static int identity_read(const char *certificate, const char *key, struct tls_identity **out, struct error *error)
{
  struct tls_identity *identity = calloc(1, sizeof *identity);
  if (identity == NULL)
    return error_memory(error);
  if (read_pem(certificate, &identity->certificate, error) != 0 || read_pem(key, &identity->key, error) != 0 ||
      make_credentials(identity, certificate, key, error) != 0) {
    identity_free(identity);
    return -1;
  }
  *out = identity;
  return 0;
}

static bool same_text(const struct buffer *a, const struct buffer *b)
{
  return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

int tls_reload(struct tls *tls, const char *certificate, const char *key, struct error *error)
{
  struct tls_identity *read = NULL, *now = atomic_load(&tls->newest);
  if (identity_read(certificate, key, &read, error) != 0)
    return -1;
  tell_dates(certificate, &read->certificate);
  if (now != NULL && same_text(&read->certificate, &now->certificate) && same_text(&read->key, &now->key)) {
    identity_free(read);
    return 0;
  }
  read->older = now;
  atomic_store(&tls->newest, read);
  return 0;
}

int tls_open(const char *certificate, const char *key, struct tls **out, struct error *error)
{
  struct tls *tls = calloc(1, sizeof *tls);
  if (tls == NULL)
    return error_memory(error);
  if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
    free(tls);
    return error_set(error, ERROR_FeatureUnsupported, "the HTTP library was built without TLS");
  }
  if (tls_reload(tls, certificate, key, error) != 0) {
    free(tls);
    return -1;
  }
  *out = tls;
  return 0;
}

void tls_free(struct tls *tls)
{
  if (tls == NULL)
    return;
  for (struct tls_identity *identity = atomic_load(&tls->newest), *older; identity != NULL; identity = older) {
    older = identity->older;
    identity_free(identity);
  }
  free(tls);
}

unsigned tls_options(const struct tls *tls, struct MHD_OptionItem *out)
{
  static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
  size_t count = 0;
  if (tls != NULL) {
    const struct tls_identity *identity = atomic_load(&tls->newest);
    out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, identity->certificate.data};
    out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, identity->key.data};
    out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities};
  }
  out[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
  return tls != NULL ? MHD_USE_TLS : 0;
}

void tls_begin(struct tls *tls, struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info != NULL && info->tls_session != NULL)
    gnutls_credentials_set(info->tls_session, GNUTLS_CRD_CERTIFICATE, atomic_load(&tls->newest)->credentials);
}
