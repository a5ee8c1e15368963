/* Sources that are kept (stac/source_book.h) are looked at again: new files become items, those that vanished leave. A
 * refresh that fails leaves the collection as it is, and says why where the source is kept. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_REFRESH_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_REFRESH_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "server/confine/confine.h"
#include "server/sources/refresh_pauses.h"

enum { REFRESH_SCRATCH_SIZE = 1100 };

struct refresh_options {
  const char *data;         /* the data folder */
  const char *shared;       /* database of a catalogue that is shared, or NULL */
  const char *const *names; /* of sources; none: all */
  size_t name_count;
  bool only_due;   /* those whose time has come */
  bool only_local; /* those of this machine */
  bool only_news;  /* nothing is said of what has not changed */
  const volatile int *cancel;
  enum confine_mode confine;     /* of the processes that read them (refresh_task.h) */
  const char *scratch;           /* folder of refresh_scratch_begin */
  struct refresh_pauses *pauses; /* of those that fail again and again: they are not due before; or NULL */
  void (*say)(const char *line); /* hears of each what came of it, with a newline */
};

/* Makes the folder for what is kept for a moment, which is TMPDIR from then on and emptied after each source: the one
 * that is named, or (NULL) one in TMPDIR. Before anything opens a catalogue, for SQLite asks for TMPDIR once. Its name,
 * to be removed with folder_remove; error StorageFailure. */
int refresh_scratch_begin(const char *folder, char out[REFRESH_SCRATCH_SIZE], struct error *error);

/* Each in turn. The number of those that failed, in *failed, and told by log_message. Error FileNotFound where a name
 * is of no source. */
int source_refresh(const struct refresh_options *options, size_t *failed, struct error *error);

/* A line for each source of the options' catalogue: name, kind, seconds between refreshes, when the latest was,
 * address, what went wrong. */
int source_print(const struct refresh_options *options, struct buffer *out, struct error *error);

/* The same again and again until cancelled: what is due when it is due (and not before its pause is over,
 * refresh_pauses.h), and folders of this machine a moment after something in them has changed. */
int source_watch(const struct refresh_options *options, struct error *error);

#endif
