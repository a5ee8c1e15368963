/* Paths that grow in number; duplicates of the last one are not taken. */
#ifndef TWINCUBE_SERVER_CONFINE_PATH_LIST_H
#define TWINCUBE_SERVER_CONFINE_PATH_LIST_H

#include <stddef.h>

struct path_list { /* all zero: empty */
  char **paths;    /* owned */
  size_t count, capacity;
};

/* Adds a copy of the path's first `length` bytes. 0, or -1: out of memory. */
int path_list_add(struct path_list *list, const char *path, size_t length);
/* Sorts, and drops what occurs twice or lies below another. */
void path_list_tidy(struct path_list *list);
void path_list_free(struct path_list *list);

#endif
