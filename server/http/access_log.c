#include "server/http/access_log.h"

#include "datacube/base/logger.h"

#include <math.h>

void access_log_write(const struct access_entry *entry)
{
  const bool has_route = entry->route[0] != '\0';
  const double status = entry->status, bytes = (double)entry->bytes, seconds = round(entry->seconds * 1e6) / 1e6;
  const struct log_field fields[] = {
      {"request", entry->id, NULL},  {"client", entry->peer, NULL},
      {"user", entry->user, NULL},   {"method", entry->method, NULL},
      {"route", entry->route, NULL}, {"path", has_route ? NULL : entry->path, NULL},
      {"job", entry->job, NULL},     {"status", NULL, entry->status != 0 ? &status : NULL},
      {"duration", NULL, &seconds},  {"bytes", NULL, &bytes}};
  log_fields(log_format() == LOG_JSON ? LOG_INFO : LOG_DEBUG,
             entry->is_cut_off ? "the request was cut off" : "a request was answered", fields,
             sizeof fields / sizeof fields[0]);
}
