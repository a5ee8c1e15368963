/* What a sender is to do, as the server tells it in JSON:
 *
 *   {"kind", "url", "href", "part_mib", "files": {the same},      the workspace; of a STAC API, where its files go
 *    "merge": path or null, "name", "stamp",
 *    "results": [{"file", "type", "size", "metadata": {…}, "changes": […]}, …]}
 *
 * Results go to the catalogue `merge`, or to a new one NAME-STAMP. The stamp is nobody else's: names with it are free.
 */
#ifndef TWINCUBE_SERVER_EXPORT_SEND_PLAN_H
#define TWINCUBE_SERVER_EXPORT_SEND_PLAN_H

#include "server/export/send_place.h"

#include "datacube/base/rooted_path.h"

#include <jansson.h>

enum { SEND_RESULTS_MOST = 1000, SEND_NAME_SIZE = 300 };

struct send_result {
  const char *type; /* of the document */
  const json_t *metadata, *changes;
  uint64_t size;
  int fd;                     /* taken */
  char id[SEND_NAME_SIZE];    /* of its item */
  char file[SEND_NAME_SIZE];  /* its name in the catalogue's folder */
  bool is_sent, item_is_sent; /* so far */
};

struct send_plan {
  json_t *document; /* owned */
  enum place_kind kind;
  struct send_place place; /* where the files go; of a STAC API another place than its own … */
  const char *url, *href;  /* … which is `url`; href: what addresses of the files begin with */
  const char *stamp;
  bool is_merged;
  char catalogue[ROOTED_PATH_SIZE]; /* path */
  struct send_result *results;      /* owned */
  size_t count;
};

/* Takes the document and as many descriptors as it has results. To be freed in any case. Error Internal. */
int send_plan_read(json_t *document, const int *descriptors, struct sender *sender, struct send_plan *out,
                   struct error *error);
void send_plan_free(struct send_plan *plan);

/* The item of a result as a tree, whose asset lies beside it; NULL with an error. */
json_t *send_item(const struct send_result *result, struct error *error);

/* Makes the catalogue's folder and sends all files. What was sent is noted, and removed by send_undo. */
int send_files(struct send_plan *plan, struct error *error);
/* Removes files that were sent, their items beside them, and a folder that is new. */
void send_undo(struct send_plan *plan);

/* Files, items, and the catalogue that lists them last: all of it is there afterwards, or none. */
int send_catalogue(struct send_plan *plan, struct error *error);
/* Files, and then the collection and its items in a STAC API: likewise. */
int send_to_stac(struct send_plan *plan, struct error *error);

#endif
