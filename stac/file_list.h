/* The files of a kind below a folder, in the order of their paths. Regular files only: a link is taken where the
 * operator says so and it stays below the folder. What begins with a dot is left out. */
#ifndef TWINCUBE_STAC_FILE_LIST_H
#define TWINCUBE_STAC_FILE_LIST_H

#include "stac/scan.h"

struct file_list {
  char **paths; /* below the folder; owned */
  size_t count, room;
};

struct file_list_query {
  const char *folder; /* absolute, without links */
  /* Whether a file is of the kind; one that is not regular is asked for by its name, to tell why it is left out. */
  bool (*wants)(const char *path, bool regular);
};

/* Adds to the list, which the caller frees, after an error too. What is left out is said (scan_warn). */
int file_list_below(const struct scan *scan, const struct file_list_query *query, struct file_list *list,
                    struct error *error);
int file_list_add(struct file_list *list, const char *path, struct error *error);
void file_list_free(struct file_list *list);

#endif
