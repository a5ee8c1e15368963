/* Services: rows, and the short logs of what their requests met. */
#include "server/store/store_services.h"

#include "server/store/store_sql.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char store_services_schema[] =
    "CREATE TABLE IF NOT EXISTS services (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, type TEXT NOT NULL, title TEXT, description TEXT,"
    " process TEXT NOT NULL, configuration TEXT NOT NULL, shown TEXT NOT NULL, enabled INTEGER NOT NULL, plan TEXT,"
    " budget REAL, log_level TEXT NOT NULL, created INTEGER NOT NULL, version INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS services_by_owner ON services(owner, seq);"
    "CREATE TABLE IF NOT EXISTS service_logs (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " service TEXT NOT NULL REFERENCES services(id) ON DELETE CASCADE, level INTEGER NOT NULL, time INTEGER NOT NULL,"
    " code TEXT, message TEXT NOT NULL, node TEXT, parameter TEXT);"
    "CREATE INDEX IF NOT EXISTS service_logs_by_service ON service_logs(service, id);";

#define SERVICE_COLUMNS "seq, id, owner, type, log_level, enabled, budget, created, version, title, description, plan"

void service_free(struct service *service)
{
  free(service->title);
  free(service->description);
  free(service->plan);
  free(service->process);
  free(service->configuration);
  free(service->shown);
  *service = (struct service){0};
}

static void read_service(struct statement *row, struct service *out)
{
  *out = (struct service){
      .seq = column_integer(row, 0),
      .enabled = column_integer(row, 5) != 0,
      .has_budget = !column_is_null(row, 6),
      .budget = column_number(row, 6),
      .created = column_integer(row, 7),
      .version = column_integer(row, 8),
      .title = column_text(row, 9),
      .description = column_text(row, 10),
      .plan = column_text(row, 11),
      .process = column_text(row, 12),
      .configuration = column_text(row, 13),
      .shown = column_text(row, 14),
  };
  column_copy(out->id, sizeof out->id, row, 1);
  column_copy(out->owner, sizeof out->owner, row, 2);
  column_copy(out->type, sizeof out->type, row, 3);
  column_copy(out->log_level, sizeof out->log_level, row, 4);
}

static int not_found(const char *id, struct error *error)
{
  return error_set(error, ERROR_ServiceNotFound, "there is no web service '%s'", id);
}

static int check_count(struct store *store, const char *owner, int64_t most, struct error *error)
{
  struct statement *count = store_prepare(store, "SELECT count(*) FROM services WHERE owner = ?", error);
  if (count == NULL)
    return -1;
  bind_text(count, 1, owner);
  const int row = store_step(store, count, error);
  const int64_t found = row == 1 ? column_integer(count, 0) : 0;
  statement_end(count);
  if (row == 1 && found >= most)
    return error_set(error, ERROR_StorageQuotaExceeded, "a user may have %lld web services; delete one first",
                     (long long)most);
  return row < 0 ? -1 : 0;
}

static int insert(struct store *store, const struct service *service, struct error *error)
{
  struct statement *put = store_prepare(store,
                                        "INSERT INTO services (id, owner, type, title, description, process,"
                                        " configuration, shown, enabled, plan, budget, log_level, created, version)"
                                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                                        error);
  if (put == NULL)
    return -1;
  const char *const texts[] = {service->id,          service->owner,   service->type,          service->title,
                               service->description, service->process, service->configuration, service->shown};
  for (int i = 0; i < 8; i++)
    bind_text(put, i + 1, texts[i]);
  bind_integer(put, 9, service->enabled);
  bind_text(put, 10, service->plan);
  bind_known(put, 11, service->has_budget ? service->budget : -1);
  bind_text(put, 12, service->log_level);
  bind_integer(put, 13, service->created);
  return store_run(store, put, error);
}

int store_service_put(struct store *store, struct service *service, int64_t most, struct error *error)
{
  unsigned char random[16];
  randombytes_buf(random, sizeof random);
  snprintf(service->id, sizeof service->id, "s-");
  sodium_bin2hex(service->id + 2, sizeof service->id - 2, random, sizeof random);
  service->created = store_now();
  service->version = 1;
  if (store_begin(store, error) != 0)
    return -1;
  int status = check_count(store, service->owner, most, error);
  if (status == 0)
    status = insert(store, service, error);
  return store_end(store, status, error);
}

int store_service_get(struct store *store, const char *owner, const char *id, struct service *out, struct error *error)
{
  struct statement *get = store_prepare(store,
                                        "SELECT " SERVICE_COLUMNS ", process, configuration, shown FROM services"
                                        " WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)",
                                        error);
  if (get == NULL)
    return -1;
  bind_text(get, 1, id);
  bind_text(get, 2, owner);
  int row = store_step(store, get, error);
  if (row == 1)
    read_service(get, out);
  statement_end(get);
  if (row == 0)
    return not_found(id, error);
  return row < 0 ? -1 : 0;
}

int store_service_list(struct store *store, const char *owner, int64_t before,
                       bool (*report)(void *data, const struct service *service), void *data, struct error *error)
{
  struct statement *list = store_prepare(store,
                                         "SELECT " SERVICE_COLUMNS ", NULL, NULL, NULL FROM services"
                                         " WHERE owner = ?1 AND (?2 = 0 OR seq < ?2) ORDER BY seq DESC",
                                         error);
  if (list == NULL)
    return -1;
  bind_text(list, 1, owner);
  bind_integer(list, 2, before);
  int row;
  bool more = true;
  while (more && (row = store_step(store, list, error)) == 1) {
    struct service service;
    read_service(list, &service);
    more = report(data, &service);
    service_free(&service);
  }
  statement_end(list);
  return more && row < 0 ? -1 : 0;
}

int store_service_update(struct store *store, const struct service *service, struct error *error)
{
  struct statement *update = store_prepare(store,
                                           "UPDATE services SET title = ?, description = ?, process = ?,"
                                           " configuration = ?, shown = ?, enabled = ?, plan = ?, budget = ?,"
                                           " log_level = ?, version = version + 1 WHERE id = ? AND owner = ?",
                                           error);
  if (update == NULL)
    return -1;
  const char *const texts[] = {service->title, service->description, service->process, service->configuration,
                               service->shown};
  for (int i = 0; i < 5; i++)
    bind_text(update, i + 1, texts[i]);
  bind_integer(update, 6, service->enabled);
  bind_text(update, 7, service->plan);
  bind_known(update, 8, service->has_budget ? service->budget : -1);
  bind_text(update, 9, service->log_level);
  bind_text(update, 10, service->id);
  bind_text(update, 11, service->owner);
  if (store_run(store, update, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : not_found(service->id, error);
}

int store_service_delete(struct store *store, const char *owner, const char *id, struct error *error)
{
  struct statement *delete = store_prepare(store, "DELETE FROM services WHERE id = ? AND owner = ?", error);
  if (delete == NULL)
    return -1;
  bind_text(delete, 1, id);
  bind_text(delete, 2, owner);
  if (store_run(store, delete, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : not_found(id, error);
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static int insert_log(struct store *store, const char *service, const struct log_entry *entry, struct error *error)
{
  struct statement *put =
      store_prepare(store,
                    "INSERT INTO service_logs (service, level, time, code, message, node, parameter)"
                    " SELECT id, ?1, ?2, ?3, ?4, ?5, ?6 FROM services WHERE id = ?7 AND ?1 <="
                    " CASE log_level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 WHEN 'info' THEN 2 ELSE 3 END"
                    " /*postgres FOR NO KEY UPDATE */",
                    error);
  if (put == NULL)
    return -1;
  bind_integer(put, 1, entry->level);
  bind_integer(put, 2, store_now());
  bind_text(put, 3, entry->code);
  bind_text(put, 4, entry->message);
  bind_text(put, 5, entry->node);
  bind_text(put, 6, entry->parameter);
  bind_text(put, 7, service);
  return store_run(store, put, error);
}

static int drop_old_logs(struct store *store, const char *service, struct error *error)
{
  struct statement *drop = store_prepare(store,
                                         "DELETE FROM service_logs WHERE service = ?1 AND id <="
                                         " (SELECT id FROM service_logs WHERE service = ?1 ORDER BY id DESC"
                                         " LIMIT 1 OFFSET ?2)",
                                         error);
  if (drop == NULL)
    return -1;
  bind_text(drop, 1, service);
  bind_integer(drop, 2, SERVICE_LOGS);
  return store_run(store, drop, error);
}

int store_service_log_put(struct store *store, const char *service, const struct log_entry *entry, struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  int status = insert_log(store, service, entry, error);
  if (status == 0)
    status = drop_old_logs(store, service, error);
  return store_end(store, status, error);
}

int store_service_log_list(struct store *store, const char *service, int64_t after, enum log_level level, long limit,
                           void (*report)(void *data, const struct job_log *log), void *data, struct error *error)
{
  struct statement *list = store_prepare(store,
                                         "SELECT id, time, level, code, message, node, parameter FROM service_logs"
                                         " WHERE service = ? AND id > ? AND level <= ? ORDER BY id LIMIT ?",
                                         error);
  if (list == NULL)
    return -1;
  bind_text(list, 1, service);
  bind_integer(list, 2, after);
  bind_integer(list, 3, level);
  bind_integer(list, 4, limit == 0 ? INT64_MAX : limit);
  int row;
  while ((row = store_step(store, list, error)) == 1) {
    const struct job_log log = {.id = column_integer(list, 0),
                                .time = column_integer(list, 1),
                                .entry = {.level = (enum log_level)column_integer(list, 2),
                                          .code = column_view(list, 3),
                                          .message = column_view(list, 4),
                                          .node = column_view(list, 5),
                                          .parameter = column_view(list, 6)}};
    report(data, &log);
  }
  return row;
}
