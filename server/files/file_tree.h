/* The files of one user: a tree of folders below DIR/files/<folder>, in which nothing but regular files is ever seen.
 * A file gets there whole, by rename; folders are made for it, and go when they are empty. Roots are descriptors of the
 * tree's topmost folder, paths are in the normal form of rooted_path.h. */
#ifndef TWINCUBE_SERVER_FILES_FILE_TREE_H
#define TWINCUBE_SERVER_FILES_FILE_TREE_H

#include "server/store/store_files.h"

#include <stddef.h>
#include <stdint.h>

enum { FILE_TREE_PATH = 1200, FILE_TAG_SIZE = 64, FILE_TREE_MOST = 20000 /* files of a user */ };

struct file_entry {
  char *path;              /* NULL where one file is described */
  uint64_t size;           /* bytes */
  int64_t modified;        /* Unix milliseconds */
  char tag[FILE_TAG_SIZE]; /* changes with the content: for ETag, without quotes */
};

struct file_listing {
  struct file_entry *entries; /* by path */
  size_t count, capacity;
  uint64_t bytes; /* of all */
};

/* Where the user's files lie; "" where the user has none. */
int file_tree_path(struct store *store, const char *data, const char *user, char out[FILE_TREE_PATH],
                   struct error *error);

/* The root, or -1 with errno. */
int file_tree_open(const char *data, const char *folder);
/* The same, which is made where it is missing. Error StorageFailure. */
int file_tree_make(const char *data, const char *folder, int *root, struct error *error);

/* All files of a tree; file_listing_free also after an error. */
int file_tree_list(int root, struct file_listing *out, struct error *error);
void file_listing_free(struct file_listing *list);

/* Opens a file for reading. Errors: FileNotFound; FileOperationUnsupported for a folder. */
int file_tree_read(int root, const char *path, int *fd, struct file_entry *out, struct error *error);
/* Moves a file into the tree, in place of one that is there. Errors: FilePathInvalid where a folder and a file would
 * share a name; StorageFailure. */
int file_tree_put(int root, const char *path, const char *file, struct file_entry *out, struct error *error);
/* Errors as of file_tree_read. */
int file_tree_remove(int root, const char *path, struct error *error);

#endif
