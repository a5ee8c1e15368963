/* What an operator's tools ask: is it well, and how much does it do. */
#include "server/endpoints/endpoints.h"

#include "server/http/metrics.h"
#include "server/store/store_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A handler has opened the store before it comes here; a read proves that it answers. */
void get_health(struct exchange *exchange)
{
  struct error error = {0};
  struct job_counts counts;
  const bool is_well = store_job_counts(exchange->store, &counts, &error) == 0;
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "status", is_well ? "ok" : "unavailable");
  if (!is_well)
    json_kv_string(&w, "reason", error.message);
  json_end_object(&w);
  reply_json(exchange, is_well ? 200 : 503, &json);
}

/* Resident bytes of this process, 0 where the system does not tell. */
static uint64_t resident_bytes(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  char line[128];
  if (file == NULL)
    return 0;
  if (fgets(line, sizeof line, file) != NULL) {
    char *end;
    strtoul(line, &end, 10); /* the whole */
    pages = strtoul(end, NULL, 10);
  }
  fclose(file);
  return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_gauge(struct buffer *out, const char *name, const char *help, uint64_t value)
{
  buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRIu64 "\n", name, help, name, name, value);
}

static void write_jobs(struct buffer *out, const struct job_counts *counts)
{
  buffer_printf(out, "# HELP twincube_jobs Batch jobs by state.\n# TYPE twincube_jobs gauge\n");
  buffer_printf(out, "twincube_jobs{status=\"queued\"} %" PRId64 "\n", counts->queued);
  buffer_printf(out, "twincube_jobs{status=\"running\"} %" PRId64 "\n", counts->running);
}

/* Not for strangers: who asks is on this machine, and no proxy asks for another. */
static bool is_local(const struct exchange *exchange)
{
  const char *peer = http_peer(exchange->http);
  return (strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0) &&
         http_header(exchange->http, "X-Forwarded-For") == NULL && http_header(exchange->http, "Forwarded") == NULL;
}

void get_metrics(struct exchange *exchange)
{
  struct error error = {0};
  struct job_counts counts;
  if (!is_local(exchange)) {
    reply_code(exchange, ERROR_PermissionsInsufficient, "metrics are told on this machine only");
    return;
  }
  if (store_job_counts(exchange->store, &counts, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  struct buffer text = {0};
  const struct pool_load load = worker_pool_load(exchange->server->pool);
  metrics_write(exchange->server->metrics, &text);
  write_jobs(&text, &counts);
  write_gauge(&text, "twincube_workers", "Workers for requests of any length.", load.workers);
  write_gauge(&text, "twincube_workers_busy", "Of these, those that compute.", load.busy);
  write_gauge(&text, "twincube_requests_waiting", "Requests that wait for a worker.", load.waiting);
  write_gauge(&text, "process_resident_memory_bytes", "Resident memory of the server's main process.",
              resident_bytes());
  reply_typed(exchange, "text/plain; version=0.0.4; charset=utf-8", &text);
}
