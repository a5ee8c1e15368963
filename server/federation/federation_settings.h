/* The back-ends that this server shares a federation with, as its operator names them. */
#ifndef TWINCUBE_SERVER_FEDERATION_FEDERATION_SETTINGS_H
#define TWINCUBE_SERVER_FEDERATION_FEDERATION_SETTINGS_H

#include "datacube/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { BACKEND_ID_SIZE = 33, BACKEND_URL_SIZE = 512, BACKENDS_MOST = 16 };

#define FEDERATION_OWN_ID "twincube" /* of this server in its own federation */

struct backend_settings { /* texts lie in the settings' document */
  char id[BACKEND_ID_SIZE];
  char url[BACKEND_URL_SIZE];    /* of its API, without a slash at its end */
  const char *title;             /* the id where none is given */
  const char *description;       /* or NULL */
  const char *token_file;        /* whose first line is our token there; or NULL */
  const char *ca_file;           /* or NULL: the system's certificates */
  const json_t *aliases;         /* name here → id there; or NULL */
  bool experimental, deprecated; /* as it is told to clients */
  size_t result_size;            /* bytes of a result that is fetched from there */
  size_t job_size;               /* expected bytes of one above which it is made by a batch job there */
};

struct federation_settings { /* all zero: no federation */
  json_t *document;          /* owned */
  struct backend_settings backends[BACKENDS_MOST];
  size_t count;
};

/* Reads an array of "ID=URL" and of tables {"id", "url", …}. To be freed in any case. Error ServerConfigInvalid,
 * which begins with the place: "federation[0].url: …". */
int federation_settings_read(json_t *document, struct federation_settings *out, struct error *error);
void federation_settings_free(struct federation_settings *settings);

#endif
