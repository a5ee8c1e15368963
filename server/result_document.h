/* The STAC document of a job's results. */
#ifndef TWINCUBE_SERVER_RESULT_DOCUMENT_H
#define TWINCUBE_SERVER_RESULT_DOCUMENT_H

#include "server/server.h"

enum { RESULT_LINK_SECONDS = 7 * 24 * 3600, RESULT_FILE_SIZE = 256 };

/* Name of the document among a job's signed files. */
#define RESULT_DOCUMENT_NAME "collection.json"

/* What the store keeps about a finished run. */
struct result_file {
  char name[RESULT_FILE_SIZE];
  char media_type[128];
};

/* Reads the job's `result`: 0, or -1 where there is none. */
int result_file_read(const struct job *job, struct result_file *out);

/* A STAC collection with signed assets, for a job in any state (assets only when finished). */
int result_document_write(const struct exchange *exchange, const struct job *job, struct buffer *out,
                          struct error *error);

#endif
