#include "server/sources/source_add.h"

#include "server/clock.h"
#include "server/fetch/fetch_here.h"
#include "server/fetch/fetch_s3.h"
#include "server/sources/local_digest.h"
#include "server/sources/source_kind.h"
#include "server/sources/source_load.h"
#include "server/sources/source_record.h"

#include "datacube/base/logger.h"
#include "stac/href.h"
#include "stac/source_book.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t remote_bytes = UINT64_C(8) << 30; /* of other hosts' files, kept while heads are read */

/* The operator has named the address: its own host may be asked, or in a bucket the folder in which it begins. */
static int allow_origin(struct account_settings *remotes, const char *address, struct error *error)
{
  const char *host = strstr(address, "://"), *last = strrchr(address, '/');
  const bool is_dav = strncmp(address, "dav", 3) == 0, is_bucket = fetch_s3_is(address);
  char prefix[FETCH_PREFIX_SIZE];
  struct error reason = {0};
  if (!host || (!href_is_web(address) && !is_dav))
    return 0;
  host += 3;
  const size_t length = !is_bucket ? strcspn(host, "/?#") : last > host ? (size_t)(last - host) : strlen(host);
  const int scheme = (int)(host - address), web = (int)length;
  const char *secure = strncmp(address, "davs:", 5) == 0 ? "s" : "";
  const int got = is_dav ? snprintf(prefix, sizeof prefix, "http%s://%.*s/", secure, web, host)
                         : snprintf(prefix, sizeof prefix, "%.*s%.*s/", scheme, address, web, host);
  if (got >= (int)sizeof prefix)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path", "%.200s…: the address is too long", address);
  const int status = account_settings_add_prefix(remotes, prefix, &reason);
  return status == 0 ? 0 : error_parameter(error, ERROR_ProcessParameterInvalid, "path", "%s", reason.message);
}

static int list(const struct source_kind *kind, const struct source_spec *spec, const struct fetch_access *access,
                struct source_listing *listing, const char **id, struct error *error)
{
  char *data = realpath(spec->data, NULL);
  const char *folder = data ? arena_printf(listing->arena, "%s/sources", data) : NULL;
  struct source_session session = {.access = access,
                                   .folder = folder,
                                   .id = spec->options->id,
                                   .arena = listing->arena,
                                   .end = steady_now() + SOURCE_SECONDS * INT64_C(1000),
                                   .cancel = spec->cancel};
  free(data);
  if (!folder)
    return error_memory(error);
  if (kind->list(&session, spec->address, listing, error) != 0)
    return -1;
  *id = session.id;
  source_listing_sort(listing);
  if (listing->left_out > 0)
    log_message(LOG_WARNING, "%s: %zu files are left out, whose names cannot stand in a catalogue", spec->address,
                listing->left_out);
  return listing->count > 0 ? 0
                            : error_parameter(error, ERROR_NoDataAvailable, "path", "%s lists no file", spec->address);
}

static void judge(const struct source_spec *spec, struct hash sum, struct source_outcome *outcome)
{
  snprintf(outcome->digest, sizeof outcome->digest, "%016" PRIx64 "%016" PRIx64, sum.a, sum.b);
  outcome->is_unchanged = spec->digest && strcmp(spec->digest, outcome->digest) == 0;
}

/* What lies at the address itself: of this machine it is known by names, sizes and dates. */
static int add_place(struct catalogue *catalogue, const struct source_spec *spec, struct source_outcome *outcome,
                     struct buffer *report, struct error *error)
{
  struct hash sum;
  struct error ignored = {0};
  if (!strstr(spec->address, "://") && local_digest(spec->address, spec->options->follow, &sum, &ignored) == 0)
    judge(spec, sum, outcome);
  return outcome->is_unchanged ? 0 : catalogue_add(catalogue, spec->options, spec->address, report, error);
}

static int add_listed(struct catalogue *catalogue, const struct source_spec *spec, const struct source_listing *listing,
                      const char *id, struct source_outcome *outcome, struct buffer *report, struct error *error)
{
  struct catalogue_add_options options = *spec->options;
  judge(spec, source_listing_digest(listing), outcome);
  if (outcome->is_unchanged)
    return 0;
  options.files = source_listing_files(listing);
  options.file_count = listing->count;
  options.id = id;
  return options.files ? catalogue_add(catalogue, &options, spec->address, report, error) : error_memory(error);
}

static int add_from(struct catalogue *catalogue, const struct source_kind *kind, const struct source_spec *spec,
                    struct source_outcome *outcome, struct buffer *report, struct error *error)
{
  const struct fetch_access access = account_settings_access(spec->remotes);
  struct source_listing listing = {.arena = arena_new(0)};
  struct fetch_here *fetcher = NULL;
  const char *id = NULL;
  int status = listing.arena ? 0 : error_memory(error);
  if (status == 0 && access.rule.prefix_count > 0)
    status = fetch_here_start(&access, remote_bytes, spec->cancel, &fetcher, error);
  if (status == 0 && kind->list)
    status = list(kind, spec, &access, &listing, &id, error) == 0
                 ? add_listed(catalogue, spec, &listing, id, outcome, report, error)
                 : -1;
  else if (status == 0)
    status = add_place(catalogue, spec, outcome, report, error);
  fetch_here_stop(fetcher);
  arena_free(listing.arena);
  return status;
}

int source_add(struct catalogue *catalogue, const struct source_spec *spec, struct source_outcome *outcome,
               struct buffer *report, struct error *error)
{
  const struct source_kind *kind = spec->kind ? source_kind_named(spec->kind) : source_kind_of(spec->address);
  *outcome = (struct source_outcome){.digest = ""};
  if (!kind)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "source", "no source is called '%s'", spec->kind);
  if (allow_origin(spec->remotes, spec->address, error) != 0)
    return -1;
  return add_from(catalogue, kind, spec, outcome, report, error);
}

int source_add_items(struct catalogue *catalogue, const struct source_spec *spec, const struct bulk_load *load,
                     struct buffer *report, struct error *error)
{
  struct source_load what = {
      .catalogue = catalogue, .load = load, .address = spec->address, .replaces = spec->digest != NULL};
  if (allow_origin(spec->remotes, spec->address, error) != 0)
    return -1;
  const struct fetch_access access = account_settings_access(spec->remotes);
  struct source_session session = {.access = &access,
                                   .arena = arena_new(0),
                                   .end = steady_now() + SOURCE_SECONDS * INT64_C(1000),
                                   .cancel = spec->cancel};
  const int status = session.arena ? source_load(&what, &session, report, error) : error_memory(error);
  arena_free(session.arena);
  return status;
}

/* Of this machine as it is found from everywhere; a path with ":variable" behind it is none itself. To be freed. */
static char *absolute(const char *address)
{
  char *real = strstr(address, "://") ? strdup(address) : realpath(address, NULL);
  if (real || address[0] == '/')
    return real ? real : strdup(address);
  char *folder = getcwd(NULL, 0);
  struct buffer joined = {0};
  buffer_printf(&joined, "%s/%s", folder ? folder : "", address);
  free(folder);
  return joined.failed ? NULL : joined.data;
}

int source_keep(struct catalogue *catalogue, const struct source_spec *spec, const struct source_outcome *outcome,
                int64_t every, const char *report, struct error *error)
{
  char *name = strndup(report, strcspn(report, ":")), *address = absolute(spec->address);
  char *options = source_record_write(spec->options, spec->remotes);
  const struct kept_source source = {.name = name,
                                     .kind = spec->kind,
                                     .address = address,
                                     .options = options,
                                     .digest = outcome->digest,
                                     .every = every};
  const int status = name && address && options ? source_book_put(catalogue, &source, error) : error_memory(error);
  free(name);
  free(address);
  free(options);
  return status;
}
