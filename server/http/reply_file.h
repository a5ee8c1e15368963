/* A file as an answer: whole, or the range of bytes that was asked for. */
#ifndef TWINCUBE_SERVER_HTTP_REPLY_FILE_H
#define TWINCUBE_SERVER_HTTP_REPLY_FILE_H

#include "server/server.h"

struct file_answer {
  int fd;        /* taken */
  uint64_t size; /* bytes */
  const char *media_type;
  const char *tag;    /* changes with the content: answers ETag, If-None-Match and If-Range; NULL: none */
  bool is_download;   /* a browser is to save it, whatever it is */
  const char *policy; /* Content-Security-Policy; NULL: none */
};

/* Whether the list of an If-None-Match, or "*", names the tag. */
bool tag_is_named(const char *list, const char *tag);

/* Ends the exchange: 200, 206, 304, or RangeNotSatisfiable. */
void reply_file(struct exchange *exchange, const struct file_answer *answer);

#endif
