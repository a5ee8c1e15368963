/* The STAC document of a job's results. */
#ifndef TWINCUBE_SERVER_ENDPOINTS_RESULT_DOCUMENT_H
#define TWINCUBE_SERVER_ENDPOINTS_RESULT_DOCUMENT_H

#include "server/server.h"

enum { RESULT_LINK_SECONDS = 7 * 24 * 3600, RESULT_FILE_SIZE = 256 };

/* Names of the document and of its picture among a job's signed files; no outcome's file has a tilde in its name. */
#define RESULT_DOCUMENT_NAME "~stac.json"
#define RESULT_THUMBNAIL_NAME "~thumbnail.png"

struct json_piece { /* a value within a stored text; text is NULL where there is none */
  const char *text;
  size_t length;
};

struct stored_file { /* what the store keeps about a file of a finished run; the pieces point into the job */
  char name[RESULT_FILE_SIZE];
  char media_type[128];
  struct json_piece node, size, metadata;
};

/* Goes through the files of the job's `result`: *at is 0 at first. false behind the last one. */
bool stored_file_next(const struct job *job, size_t *at, struct stored_file *out);

/* STAC 1.1 with an asset for each file, by signed links, for a job in any state (assets only when finished). Without an
 * exchange: as it lies in a folder with its files, without links.
 *
 * A Collection where a file has a place: STAC wants a box there, and takes an interval of two nulls where no file has a
 * date. Where no file has a place an Item, whose geometry is null. Its dates are those of the files; where these have
 * none, datetime, start_datetime and end_datetime are null: readers take that, but STAC has no strictly valid form for
 * data without a place and a date, and a made-up one would be false. */
int result_document_write(const struct exchange *exchange, const struct job *job, struct buffer *out,
                          struct error *error);

#endif
