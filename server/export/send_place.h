/* Where files of an export go: a folder, or what begins with an address of WebDAV or S3. Paths are those of
 * rooted_path.h, in normal form. */
#ifndef TWINCUBE_SERVER_EXPORT_SEND_PLACE_H
#define TWINCUBE_SERVER_EXPORT_SEND_PLACE_H

#include "server/export/send_request.h"
#include "server/export/workspace_settings.h"

struct send_body {  /* borrowed */
  const char *type; /* media type */
  int fd;           /* a file, or -1: it is `text` */
  const char *text;
  uint64_t size; /* bytes */
};

struct send_place {
  enum place_kind kind;  /* no STAC API */
  const char *url;       /* borrowed, as in struct named_workspace */
  struct sender *sender; /* of addresses */
  uint64_t part;         /* S3: bytes of a part; what is longer goes in parts */
  int root;              /* of a folder, open; else -1 */
};

int send_place_open(struct send_place *place, struct error *error);
void send_place_close(struct send_place *place);

/* Makes the folder and those above it, where the place has folders. */
int send_place_folder(const struct send_place *place, const char *path, struct error *error);
/* Keeps others of this machine from changing the catalogue in that folder until this process ends. */
int send_place_lock(const struct send_place *place, const char *path, struct error *error);

/* The document there, and its ETag; *is_there is false where there is none. The buffer is the caller's. */
int send_place_get(const struct send_place *place, const char *path, struct buffer *out, char etag[SEND_ETAG_SIZE],
                   bool *is_there, struct error *error);
/* Writes a file, all of it or nothing. `match`: as of struct send_request; *is_taken becomes true, and nothing is
 * written, where something else is there. */
int send_place_put(const struct send_place *place, const char *path, const struct send_body *body, const char *match,
                   bool *is_taken, struct error *error);
/* Removes a file, or an empty folder, where it is there. What cannot be removed stays. */
void send_place_remove(const struct send_place *place, const char *path, bool is_folder);

#endif
