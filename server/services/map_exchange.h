/* Requests to maps: what a URL asks for becomes a task of a worker, and its answer a reply. */
#ifndef TWINCUBE_SERVER_SERVICES_MAP_EXCHANGE_H
#define TWINCUBE_SERVER_SERVICES_MAP_EXCHANGE_H

#include "server/server.h"
#include "server/services/service_view.h"

/* The choice that the query says (datetime, labels of other dimensions, parameters of the process), with the bands that
 * are shown: a new object. NULL: error set (QueryParameterInvalid). */
json_t *map_choice_read(const struct exchange *exchange, const struct service_view *view, struct error *error);

struct map_question { /* borrowed until map_ask returns */
  const struct service *service;
  struct map_task task; /* choice_size is filled in */
  const json_t *choice;
  double seconds; /* that it may take; 0: as long as maps may */
};

struct map_reply {
  const char *bytes; /* picture or JSON */
  size_t length;
  const struct worker_reply *worker; /* with a file in … */
  const char *folder;
};

/* What the answer becomes: answers the exchange. `error` is NULL, or why there is no answer, and `reply` NULL then.
 * Called on a worker's thread; `data` is the caller's. */
typedef void map_answer(struct exchange *exchange, const struct map_reply *reply, const struct error *error,
                        void *data);

/* Hands the question to a worker; the exchange is answered by `answer`, or here where no worker can be had (then
 * `answer` is not called, and -1 is returned). */
int map_ask(struct exchange *exchange, const struct map_question *question, map_answer *answer, void *data);
/* Answers with the picture that is asked for, from the tiles made lately where it is there. */
void map_reply_picture(struct exchange *exchange, const struct map_question *question);
/* A reply of bytes with their tag, or 304 where the client has them already. */
void map_reply_bytes(struct exchange *exchange, const char *media_type, struct buffer *bytes, struct hash tag);

#endif
