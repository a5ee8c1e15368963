/* Log entries of jobs. */
#include "server/store/store_jobs.h"
#include "server/store/store_sql.h"

#include <string.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};

const char *log_level_name(enum log_level level)
{
  return level_names[level];
}

int log_level_parse(const char *name, enum log_level *out)
{
  for (int i = LOG_ERROR; i <= LOG_DEBUG; i++)
    if (strcmp(name, level_names[i]) == 0) {
      *out = (enum log_level)i;
      return 0;
    }
  return -1;
}

int store_log_put(struct store *store, const char *job, const struct job_log *log, struct error *error)
{
  struct statement *put =
      store_prepare(store,
                    "INSERT INTO logs (job, level, time, code, message, node, parameter, data)"
                    " SELECT id, ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM jobs WHERE id = ?8 AND ?1 <="
                    " CASE log_level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 WHEN 'info' THEN 2 ELSE 3 END"
                    " /*postgres FOR NO KEY UPDATE */",
                    error);
  if (put == NULL)
    return -1;
  bind_integer(put, 1, log->entry.level);
  bind_integer(put, 2, log->time ? log->time : store_now());
  bind_text(put, 3, log->entry.code);
  bind_text(put, 4, log->entry.message);
  bind_text(put, 5, log->entry.node);
  bind_text(put, 6, log->entry.parameter);
  bind_text(put, 7, log->entry.data);
  bind_text(put, 8, job);
  store_hurry(store, true); /* some jobs write many, and the job itself is kept */
  const int status = store_run(store, put, error);
  store_hurry(store, false);
  return status;
}

int store_log_list(struct store *store, const char *job, int64_t after, enum log_level level, long limit,
                   void (*report)(void *data, const struct job_log *log), void *data, struct error *error)
{
  struct statement *list = store_prepare(store,
                                         "SELECT id, time, level, code, message, node, parameter, data FROM logs"
                                         " WHERE job = ? AND id > ? AND level <= ? ORDER BY id LIMIT ?",
                                         error);
  if (list == NULL)
    return -1;
  bind_text(list, 1, job);
  bind_integer(list, 2, after);
  bind_integer(list, 3, level);
  bind_integer(list, 4, limit == 0 ? INT64_MAX : limit);
  int row;
  while ((row = store_step(store, list, error)) == 1) {
    const struct job_log log = {
        .id = column_integer(list, 0),
        .time = column_integer(list, 1),
        .entry = {.level = (enum log_level)column_integer(list, 2),
                  .code = column_view(list, 3),
                  .message = column_view(list, 4),
                  .node = column_view(list, 5),
                  .parameter = column_view(list, 6),
                  .data = column_view(list, 7)},
    };
    report(data, &log);
  }
  return row;
}
