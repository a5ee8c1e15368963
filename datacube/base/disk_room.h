/* What a disk has left for results and files, beside a reserve for what must not fail. */
#ifndef TWINCUBE_DATACUBE_BASE_DISK_ROOM_H
#define TWINCUBE_DATACUBE_BASE_DISK_ROOM_H

#include <stdbool.h>

struct disk_room { /* bytes */
  double free;     /* for us, the reserve included */
  double reserve;  /* 1 GiB, or a twentieth of a small disk */
};

/* Of the disk that a folder lies on. False where it cannot be told: writing will say what is wrong. */
bool disk_room_read(const char *folder, struct disk_room *out);

#endif
