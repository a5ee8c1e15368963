/* The kinds of web services, their options and what they say about themselves: rows of tables. */
#ifndef TWINCUBE_SERVER_SERVICES_SERVICE_TYPE_H
#define TWINCUBE_SERVER_SERVICES_SERVICE_TYPE_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <jansson.h>

struct service_type {
  const char *name; /* "XYZ" */
  const char *title, *description;
  const char *path;           /* of its URL, behind /services/{id} */
  const char *const *options; /* names, NULL-terminated */
  const char *about;          /* URL of its specification */
};

extern const struct service_type service_types[];
extern const size_t service_type_count;

/* In any case; NULL where there is none. */
const struct service_type *service_type_find(const char *name);
/* The document of GET /service_types. */
void service_types_write(struct json_writer *writer, bool is_federated);
/* Whether all members are options of the type and of the kind that they want to be. What needs the cube (bands, min,
 * max) is looked at later. Errors ServiceConfigUnsupported and ServiceConfigInvalid, naming the option. */
int service_options_check(const struct service_type *type, const json_t *configuration, struct error *error);

#endif
