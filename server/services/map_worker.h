/* The worker's part of services: maps that stay open, and what is asked of them. */
#ifndef TWINCUBE_SERVER_SERVICES_MAP_WORKER_H
#define TWINCUBE_SERVER_SERVICES_MAP_WORKER_H

#include "server/services/map_task.h"

/* Open maps by all that they depend on: the least recently used is closed first. One owner. */
struct open_maps;

struct open_maps *open_maps_new(void);       /* NULL when out of memory */
void open_maps_free(struct open_maps *maps); /* NULL is allowed */

struct map_surroundings { /* of the worker */
  struct open_maps *maps;
  const struct catalogue *catalogue;
  const char *files; /* folder of the owner's own files, or NULL */
  const struct local_files *local; /* that graphs of thumbnails may name, which do not stay open */
  const volatile int *cancel;
  size_t memory;                /* bytes */
  struct devices *devices;      /* or NULL */
  const char *user;             /* whose own processes … */
  struct process_lookup lookup; /* … graphs may use */
};

/* What a task's body asks for; MAP_DESCRIBE where it is cut off. */
enum map_operation map_operation_of(const char *body, size_t length);
/* Does a task of which `body` holds all; adds the reply to `out`. Errors: those of map_open and map_read. */
int map_work(const struct map_surroundings *surroundings, const char *body, size_t length, struct buffer *out,
             struct error *error);

#endif
