/* What a run tells whoever asked for it: entries of a job's log, lines of the command line. */
#ifndef TWINCUBE_PROCESSES_RUN_LOG_H
#define TWINCUBE_PROCESSES_RUN_LOG_H

#include "datacube/base/logger.h"

struct log_entry { /* texts are UTF-8 and borrowed */
  enum log_level level;
  const char *message;
  const char *code;      /* label that groups entries, or NULL */
  const char *node;      /* path of the graph's node, or NULL */
  const char *parameter; /* of that node, or NULL */
  const char *data;      /* what the entry is about, as JSON, or NULL */
};

struct run_log {
  void (*put)(void *data, const struct log_entry *entry);
  void *data;
};

/* Nothing happens where nobody listens. */
static inline void run_log_put(const struct run_log *log, const struct log_entry *entry)
{
  if (log)
    log->put(log->data, entry);
}

#endif
