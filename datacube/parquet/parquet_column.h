/* A column in a group of rows, entry by entry. One page of it is unpacked at a time. */
#ifndef TWINCUBE_DATACUBE_PARQUET_PARQUET_COLUMN_H
#define TWINCUBE_DATACUBE_PARQUET_PARQUET_COLUMN_H

#include "datacube/parquet/parquet_values.h"

struct parquet_room { /* memory for a page, counted in the file's `held` */
  unsigned char *bytes;
  size_t size;
};

struct parquet_column {
  /* the entry that it stands at */
  bool is_end;         /* there is none left */
  unsigned definition; /* level; that of the leaf: there is a value */
  unsigned level;      /* of what begins anew; 0: a row. 0 at the end, too */
  struct parquet_value value;

  struct parquet_file *file;
  const struct parquet_node *leaf;
  const unsigned char *at, *end; /* of its chunk */
  int codec;
  int64_t left;    /* entries of the chunk that are in pages to come */
  int64_t in_page; /* entries of the page that are to come */
  struct parquet_runs levels, definitions;
  struct parquet_values values;
  struct parquet_room page, dictionary_page, dictionary; /* the latter: values */
};

/* Stands at the first entry. Closed also after an error, which names the column. */
int parquet_column_open(struct parquet_file *file, size_t group, size_t leaf, struct parquet_column *out,
                        struct error *error);
void parquet_column_close(struct parquet_column *column);
/* Goes to the next entry. What the one before pointed to may be gone. */
int parquet_column_next(struct parquet_column *column, struct error *error);

#endif
