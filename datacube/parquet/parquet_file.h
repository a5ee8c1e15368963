/* The head of a Parquet file (which stands at its end): the tree of its columns, and where their pages lie.
 *
 * A row is a tree of groups and leaves, nested and repeated. Each leaf is a column of its own, which tells of every
 * entry how deep its parents are there (definition level) and which of them begins anew (repetition level). Rows lie in
 * groups, in each of which a column is a chunk of pages. Everything here is looked at when the file is opened, and
 * nothing of it leads beyond the file. Source: the format's specification (Apache Parquet 2.11). */
#ifndef TWINCUBE_DATACUBE_PARQUET_PARQUET_FILE_H
#define TWINCUBE_DATACUBE_PARQUET_PARQUET_FILE_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

#include <stdint.h>

enum parquet_type { /* how a value is stored, with the format's numbers */
                    PARQUET_BOOLEAN,
                    PARQUET_INT32,
                    PARQUET_INT64,
                    PARQUET_INT96,
                    PARQUET_FLOAT,
                    PARQUET_DOUBLE,
                    PARQUET_BYTE_ARRAY,
                    PARQUET_FIXED,
                    PARQUET_GROUP /* no value: a node that has children */
};

enum parquet_meaning {                    /* what it stands for */
                       PARQUET_PLAIN,     /* what it is: a number, a boolean, bytes, a group of members */
                       PARQUET_UNSIGNED,  /* an integer without sign */
                       PARQUET_TEXT,      /* UTF-8 */
                       PARQUET_JSON,      /* text of a JSON value */
                       PARQUET_DATE,      /* days since 1970-01-01 */
                       PARQUET_TIMESTAMP, /* since 1970-01-01T00:00:00Z, `per_second` units in each second */
                       PARQUET_SHAPE,     /* a geometry as well-known binary */
                       PARQUET_BOX,       /* a group of corners; set by those who know that it is one */
                       PARQUET_NULL,      /* nothing, always */
                       PARQUET_LIST,      /* a group: its child, or that one's child, is repeated */
                       PARQUET_MAP,       /* a group: its child is repeated, with a key and a value */
                       PARQUET_STRANGE    /* decimals, times of day, and others that we do not read */
};

enum parquet_repetition { PARQUET_REQUIRED, PARQUET_OPTIONAL, PARQUET_REPEATED };

struct parquet_node {
  const char *name;
  const char *path; /* "assets.data.href" */
  enum parquet_type type;
  enum parquet_meaning meaning;
  enum parquet_repetition repetition;
  unsigned definition; /* level of an entry at which this node is there */
  unsigned level;      /* level at which it is repeated: how many of it and its parents are */
  size_t width;        /* bytes of a PARQUET_FIXED */
  int64_t per_second;  /* of a timestamp */
  struct parquet_node **children;
  size_t child_count;
  size_t leaf, leaf_end; /* numbers of the columns below it, of a leaf its own: from, and up to before */
};

struct parquet_chunk { /* a column in a group of rows */
  const unsigned char *pages;
  size_t length;
  int64_t values; /* entries, nulls among them */
  int codec;      /* the format's number */
};

struct parquet_group {
  int64_t rows;
  struct parquet_chunk *chunks; /* one a leaf */
};

struct parquet_file {
  struct arena *arena;
  const unsigned char *bytes; /* borrowed */
  size_t length;
  struct parquet_node *root;
  struct parquet_node **leaves;
  size_t leaf_count;
  struct parquet_group *groups;
  size_t group_count;
  const char **keys, **texts; /* what its writer noted: pairs */
  size_t text_count;
  size_t held;     /* bytes of pages that are unpacked now */
  uint64_t opened; /* entries of all columns that were opened */
  uint64_t grown;  /* bytes that were unpacked so far */
};

/* What a small file may not make of itself. */
enum {
  PARQUET_MOST_PAGE = 256 << 20,          /* bytes of a page, unpacked */
  PARQUET_MOST_HELD = 1 << 30,            /* of the pages of all columns */
  PARQUET_MOST_ROWS = 16,                 /* rows for each byte of the file: each wants an id of its own */
  PARQUET_MOST_VALUES = 256,              /* entries of all columns for each byte */
  PARQUET_MOST_GROWTH = 1024,             /* bytes unpacked for each byte */
  PARQUET_MOST_DEPTH = 60,                /* groups in each other */
  PARQUET_MOST_NODES = 100000,            /* of a schema */
  PARQUET_MOST_METADATA_BYTES = 512 << 20 /* of what is made of the head */
};

/* The bytes stay until it is closed. Errors FileContentInvalid, FeatureUnsupported (encrypted; columns in other
 * files). */
int parquet_open(const void *bytes, size_t length, struct parquet_file **out, struct error *error);
void parquet_close(struct parquet_file *file);
/* What the writer noted under that key, or NULL. */
const char *parquet_text(const struct parquet_file *file, const char *key);

#endif
