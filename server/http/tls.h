/* TLS by a certificate and a key in files. Both can be read again while the server runs: connections keep what they
 * began with, later ones get the new certificate. Versions 1.2 and 1.3. */
#ifndef TWINCUBE_SERVER_HTTP_TLS_H
#define TWINCUBE_SERVER_HTTP_TLS_H

#include "datacube/base/error.h"

struct tls;
struct MHD_Connection;
struct MHD_OptionItem;

/* PEM files: the certificate with those that it is signed by behind it, and its key. Error ServerConfigInvalid says
 * what is wrong with them, among it a key of another certificate; one that is over by date is only warned of. */
int tls_open(const char *certificate, const char *key, struct tls **out, struct error *error);
void tls_free(struct tls *tls); /* after the last connection; NULL is allowed */

/* Reads files again; they may be others than before. With an error everything stays as it was. */
int tls_reload(struct tls *tls, const char *certificate, const char *key, struct error *error);

/* For libmicrohttpd: what its daemon begins with, as options in an array with room for TLS_OPTIONS; returns its flags.
 * NULL: plain HTTP. */
enum { TLS_OPTIONS = 4 };
unsigned tls_options(const struct tls *tls, struct MHD_OptionItem *out);
/* Gives a connection that has just come the certificate of today. */
void tls_begin(struct tls *tls, struct MHD_Connection *connection);

#endif
