/* All is read and checked before anything changes. */
#include "server/commands/serve_reload.h"

#include "server/http/tls.h"
#include "server/server.h"

#include "datacube/base/logger.h"

bool serve_reload_is_wanted(const struct serve_options *options)
{
  return options->config != NULL || options->tls_certificate != NULL;
}

/* Lists, and tables above all, are equal when all in them is. */
static bool differs(const struct option_row *row, const struct serve_options *a, const struct serve_options *b)
{
  const json_t *one = json_object_get(a->values, row->name), *other = json_object_get(b->values, row->name);
  return one != other && !json_equal(one, other);
}

static void tell_changes(const struct serve_reload *reload, const struct serve_options *fresh)
{
  const struct serve_options *before = reload->now.values != NULL ? &reload->now : reload->started;
  for (size_t i = 0; i < option_row_count; i++) {
    const struct option_row *row = &option_rows[i];
    if (row->is_live && differs(row, fresh, before))
      log_message(LOG_INFO, "settings: %s has changed", row->name);
    else if (!row->is_live && !row->is_no_key && differs(row, fresh, reload->started))
      log_message(LOG_WARNING, "settings: %s cannot change while the server runs; it will at the next start",
                  row->name);
  }
}

/* A server that was started without a certificate has no TLS, and the other way round. */
static int apply_certificate(const struct serve_reload *reload, const struct serve_options *fresh, struct error *error)
{
  if ((reload->tls == NULL) != (fresh->tls_certificate == NULL))
    return error_set(error, ERROR_ServerConfigInvalid, "TLS cannot be switched on or off while the server runs");
  return reload->tls != NULL ? tls_reload(reload->tls, fresh->tls_certificate, fresh->tls_key, error) : 0;
}

static int apply(struct serve_reload *reload, const struct serve_options *fresh, struct error *error)
{
  if (apply_certificate(reload, fresh, error) != 0)
    return -1;
  log_set_level((enum log_level)fresh->log_level);
  log_set_format((enum log_format)fresh->log_format);
  return 0;
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
  log_message(LOG_INFO, "the settings were read again");
  tell_changes(reload, &fresh);
  serve_options_free(&reload->now);
  reload->now = fresh;
}

void serve_reload_free(struct serve_reload *reload)
{
  serve_options_free(&reload->now);
}
