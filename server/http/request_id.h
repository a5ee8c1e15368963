/* The name of a request: in its answer (X-Request-Id), in error documents, and in the log. */
#ifndef TWINCUBE_SERVER_HTTP_REQUEST_ID_H
#define TWINCUBE_SERVER_HTTP_REQUEST_ID_H

enum { HTTP_ID_SIZE = 65 };

/* The one that the request brought (or NULL), where it has 1 to 64 letters, digits, dots, dashes and underscores; else
 * 128 random bits. */
void request_id_choose(const char *given, char out[HTTP_ID_SIZE]);

#endif
