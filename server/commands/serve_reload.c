/* All is read and checked before anything changes. */
#include "server/commands/serve_reload.h"

#include "server/export/export_hub.h"
#include "server/fetch/fetch_process.h"
#include "server/http/tls.h"
#include "server/server.h"
#include "server/sources/refresh_process.h"

#include "datacube/base/logger.h"

#include <stdlib.h>
#include <string.h>

struct tariff_kept {
  struct tariff tariff;
  struct tariff_kept *older;
};

/* What is made before anything changes. */
struct prepared {
  struct tariff_kept *tariff; /* NULL: the tariff stays */
  struct oidc *oidc;
  json_t *providers;  /* their document */
  bool has_providers; /* they change, perhaps to none */
};

/* ---- limits ---- */

static int prepare_tariff(const struct serve_reload *reload, const struct serve_options *options, struct prepared *out,
                          struct error *error)
{
  const struct tariff *now = reload->server->limits.tariff, *wanted = &options->tariff;
  if (now != NULL && strcmp(now->currency, wanted->currency) == 0 && now->cpu_hour == wanted->cpu_hour &&
      now->gb_read == wanted->gb_read)
    return 0;
  out->tariff = calloc(1, sizeof *out->tariff);
  if (out->tariff == NULL)
    return error_memory(error);
  out->tariff->tariff = *wanted;
  return 0;
}

static void set_limits(struct serve_reload *reload, const struct serve_options *options, struct tariff_kept *tariff)
{
  struct server_limits *limits = &reload->server->limits;
  limits->user_files = options->user_files;
  limits->user_results = options->user_results;
  limits->request_seconds = options->request_time;
  limits->job_seconds = options->job_time;
  limits->keep_days = options->keep_results;
  limits->user_jobs = options->user_jobs;
  limits->all_jobs = options->all_jobs;
  if (tariff == NULL)
    return;
  tariff->older = reload->tariffs;
  reload->tariffs = tariff;
  limits->tariff = &tariff->tariff;
}

int serve_start_limits(struct serve_reload *reload, struct error *error)
{
  struct prepared prepared = {0};
  if (prepare_tariff(reload, reload->started, &prepared, error) != 0)
    return -1;
  set_limits(reload, reload->started, prepared.tariff);
  return 0;
}

/* ---- who may log in ---- */

/* Providers whose settings are as before go on, with what they know. */
static int prepare_providers(const struct serve_reload *reload, const struct serve_options *options,
                             struct prepared *out, struct error *error)
{
  struct oidc_settings *settings = NULL;
  if (serve_options_providers(options, &settings, error) != 0)
    return -1;
  json_t *document = settings != NULL ? settings->document : NULL;
  if (document == reload->providers || json_equal(document, reload->providers)) {
    oidc_settings_free(settings);
    return 0;
  }
  json_incref(document);
  if (settings != NULL && oidc_start(settings, &out->oidc, error) != 0) {
    json_decref(document);
    return -1;
  }
  out->providers = document;
  out->has_providers = true;
  return 0;
}

int serve_start_auth(struct serve_reload *reload, struct error *error)
{
  struct prepared prepared = {0};
  if (prepare_providers(reload, reload->started, &prepared, error) != 0)
    return -1;
  reload->providers = prepared.providers;
  reload->server->auth = auth_new(prepared.oidc, !reload->started->no_basic);
  return reload->server->auth != NULL ? 0 : error_memory(error);
}

static void set_auth(struct serve_reload *reload, const struct serve_options *options, const struct prepared *prepared)
{
  auth_set_basic(reload->server->auth, !options->no_basic);
  if (!prepared->has_providers)
    return;
  auth_set_oidc(reload->server->auth, prepared->oidc);
  log_message(LOG_INFO, "settings: there are other OpenID Connect providers");
  json_decref(reload->providers);
  reload->providers = prepared->providers;
}

/* ---- accounts at other hosts ---- */

/* Their tokens and keys; which hosts are read at all stays as it was. */
static void set_accounts(const struct serve_reload *reload, const struct serve_options *options)
{
  const struct account_settings *remotes = &options->remotes;
  if (reload->fetch != NULL && fetch_process_renew(reload->fetch, remotes->accounts, remotes->account_count) != 0)
    log_message(LOG_ERROR, "settings: accounts at other hosts stay as they were");
  if (reload->exports != NULL && export_hub_renew(reload->exports, remotes->accounts, remotes->account_count) != 0)
    log_message(LOG_ERROR, "settings: accounts of exports stay as they were");
}

/* ---- sources of collections ---- */

static bool differs(const char *name, const struct serve_options *a, const struct serve_options *b)
{
  const json_t *one = json_object_get(a->values, name), *other = json_object_get(b->values, name);
  return one != other && !json_equal(one, other);
}

/* Other hosts count, too: what their tables say goes along with each source. */
static void set_sources(const struct serve_reload *reload, const struct serve_options *fresh)
{
  const struct serve_options *before = reload->now.values != NULL ? &reload->now : reload->started;
  struct error error = {0};
  if (reload->refresh == NULL || (!differs("source", fresh, before) && !differs("remote", fresh, before)))
    return;
  char *sources = source_tables_write(&fresh->sources, fresh->remotes.document);
  if (refresh_process_renew(reload->refresh, sources, &error) != 0)
    log_message(LOG_ERROR, "settings: sources are not refreshed: %s", error.message);
}

/* ---- all of it ---- */

bool serve_reload_is_wanted(const struct serve_options *options)
{
  return options->config != NULL || options->tls_certificate != NULL;
}

/* A server that was started without a certificate has no TLS, and the other way round. */
static int set_certificate(const struct serve_reload *reload, const struct serve_options *options, struct error *error)
{
  if ((reload->tls == NULL) != (options->tls_certificate == NULL))
    return error_set(error, ERROR_ServerConfigInvalid, "TLS cannot be switched on or off while the server runs");
  return reload->tls != NULL ? tls_reload(reload->tls, options->tls_certificate, options->tls_key, error) : 0;
}

/* The certificate is the last that may fail. */
static int apply(struct serve_reload *reload, const struct serve_options *fresh, struct error *error)
{
  struct prepared prepared = {0};
  if (prepare_tariff(reload, fresh, &prepared, error) != 0 || prepare_providers(reload, fresh, &prepared, error) != 0 ||
      set_certificate(reload, fresh, error) != 0) {
    free(prepared.tariff);
    oidc_stop(prepared.oidc);
    json_decref(prepared.providers);
    return -1;
  }
  log_set_level((enum log_level)fresh->log_level);
  log_set_format((enum log_format)fresh->log_format);
  set_limits(reload, fresh, prepared.tariff);
  worker_pool_set_user_requests(reload->server->pool, (unsigned)fresh->user_requests);
  set_auth(reload, fresh, &prepared);
  set_accounts(reload, fresh);
  set_sources(reload, fresh);
  return 0;
}

static void tell_changes(const struct serve_reload *reload, const struct serve_options *fresh)
{
  const struct serve_options *before = reload->now.values != NULL ? &reload->now : reload->started;
  for (size_t i = 0; i < option_row_count; i++) {
    const struct option_row *row = &option_rows[i];
    if (row->is_live && differs(row->name, fresh, before))
      log_message(LOG_INFO, "settings: %s has changed", row->name);
    else if (!row->is_live && !row->is_no_key && differs(row->name, fresh, reload->started))
      log_message(LOG_WARNING, "settings: %s cannot change while the server runs; it will at the next start",
                  row->name);
  }
}

void serve_reload(struct serve_reload *reload)
{
  struct serve_options fresh;
  struct error error = {0};
  if (serve_options_read(reload->argc, reload->argv, &fresh, &error) >= 0 || apply(reload, &fresh, &error) != 0) {
    log_message(LOG_ERROR, "the settings stay as they were: %s", error.message);
    serve_options_free(&fresh);
    return;
  }
  tell_changes(reload, &fresh);
  log_message(LOG_INFO, "the settings were read again"); /* the last line: who waits for it has all the others */
  serve_options_free(&reload->now);
  reload->now = fresh;
}

void serve_reload_free(struct serve_reload *reload)
{
  for (struct tariff_kept *kept = reload->tariffs, *older; kept != NULL; kept = older) {
    older = kept->older;
    free(kept);
  }
  json_decref(reload->providers);
  serve_options_free(&reload->now);
}
