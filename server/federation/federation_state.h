/* What the files of the federation share. */
#ifndef TWINCUBE_SERVER_FEDERATION_FEDERATION_STATE_H
#define TWINCUBE_SERVER_FEDERATION_FEDERATION_STATE_H

#include "server/federation/federation.h"

#include <pthread.h>

struct backend {
  struct federation *federation;
  const struct backend_settings *settings;
  pthread_t thread;
  bool has_thread;
  int64_t due;                   /* steady_now of the next look; under `wake_lock` */
  struct backend_survey survey;  /* this and what follows under `lock` */
  char search[BACKEND_URL_SIZE]; /* address of its search for items; "": it has none, as far as is known */
  struct search_ability ability;
  unsigned search_failures; /* one behind the other */
  int64_t search_due;       /* steady_now, before which it is not searched; 0: at once */
  bool has_jobs;
  bool is_online;
  bool was_asked;
  int64_t checked, succeeded; /* Unix milliseconds; 0: never */
};

struct federation {
  struct backend backends[BACKENDS_MOST];
  size_t count;
  struct web_kept *kept;
  atomic_bool stopping;
  pthread_rwlock_t lock;     /* of what is known */
  pthread_mutex_t wake_lock; /* of when it is asked for */
  pthread_cond_t wake;
};

/* The collection of a name, NULL where there is none; the first one behind a name. Under the lock. */
const struct listed_collection *backend_find(const struct backend *backend, const char *name);
size_t backend_first_behind(const struct backend *backend, const char *name);
/* The same, also by BACKEND|ID where it has an alias. */
const struct listed_collection *backend_named(const struct backend *backend, const char *name);

#endif
