/* Heads of files and short files, side by side in one file of this machine: to make a file for each takes longer than
 * to fetch it, and the more so the more of them come and go. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_SLOTS_H
#define TWINCUBE_SERVER_FETCH_FETCH_SLOTS_H

#include "datacube/remote/remote_protocol.h"

#include <stddef.h>
#include <stdint.h>

enum { FETCH_HEAD_PAGES = 2 /* of the first request */, FETCH_SLOT_BYTES = FETCH_HEAD_PAGES * REMOTE_PAGE };

struct fetch_slots {
  char path[512];
  int fd;         /* -1: not open */
  uint64_t *free; /* places that were given back; owned */
  size_t free_count, free_room;
  uint64_t end; /* place of the next slot that was never taken */
};

/* A file of that path, which must not be there. Error StorageFailure. */
int fetch_slots_open(struct fetch_slots *slots, const char *path, struct error *error);
/* Removes the file. Fine for what was never opened, where fd is -1. */
void fetch_slots_close(struct fetch_slots *slots);

/* The place of a slot in the file, in bytes. */
uint64_t fetch_slots_take(struct fetch_slots *slots);
/* Its bytes take no room any more. */
void fetch_slots_give(struct fetch_slots *slots, uint64_t place);

#endif
