#include "server/sources/source_refresh.h"

#include "server/sources/refresh_task.h"
#include "server/store/folder.h"

#include "datacube/base/instant.h"
#include "datacube/base/logger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_named(const struct refresh_options *options, const char *name)
{
  for (size_t i = 0; i < options->name_count; i++)
    if (strcmp(options->names[i], name) == 0)
      return true;
  return options->name_count == 0;
}

static bool is_due(const struct kept_source *source)
{
  return source->every > 0 && time(NULL) >= source->refreshed + source->every;
}

static bool is_wanted(const struct refresh_options *options, const struct kept_source *source)
{
  return is_named(options, source->name) && (!options->only_due || is_due(source)) &&
         (!options->only_due || time(NULL) >= refresh_pauses_until(options->pauses, source->name)) &&
         (!options->only_local || !strstr(source->address, "://"));
}

static int check_names(const struct refresh_options *options, const struct kept_source *rows, size_t count,
                       struct error *error)
{
  for (size_t n = 0; n < options->name_count; n++) {
    size_t i = 0;
    while (i < count && strcmp(rows[i].name, options->names[n]) != 0)
      i++;
    if (i == count)
      return error_parameter(error, ERROR_FileNotFound, "id", "no source is kept under the name '%s'",
                             options->names[n]);
  }
  return 0;
}

/* ---- the scratch folder ------------------------------------------------------------------------------------------ */

int refresh_scratch_begin(const char *folder, char out[REFRESH_SCRATCH_SIZE], struct error *error)
{
  const char *place = getenv("TMPDIR");
  if (folder)
    snprintf(out, REFRESH_SCRATCH_SIZE, "%s", folder);
  else
    snprintf(out, REFRESH_SCRATCH_SIZE, "%.1000s/twincube-refresh-XXXXXX", place && *place ? place : "/tmp");
  if (folder && folder_make(folder, error) != 0)
    return -1;
  if (!folder && !mkdtemp(out))
    return error_set(error, ERROR_StorageFailure, "no folder %s can be made: %s", out, strerror(errno));
  folder_clear(out);
  return setenv("TMPDIR", out, 1) == 0 ? 0 : error_memory(error);
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

static int note(const struct refresh_options *options, const struct kept_source *source, const char *digest,
                const char *failure, struct error *error)
{
  struct catalogue *catalogue = NULL;
  int status = catalogue_open_shared(options->data, options->shared, &catalogue, error);
  if (status == 0)
    status = source_book_note(catalogue, source, digest, failure, error);
  catalogue_close(catalogue);
  return status;
}

/* What goes wrong with the source is noted; an error is one of the catalogue itself. */
static int refresh_one(const struct refresh_options *options, const struct kept_source *source, size_t *failed,
                       struct error *error)
{
  struct source_outcome outcome = {.digest = ""};
  struct buffer report = {0};
  struct error reason = {0};
  const int status = refresh_task_run(options, source, &outcome, &report, &reason);
  if (options->cancel && *options->cancel) { /* it goes with a whole one the next time */
    buffer_free(&report);
    return 0;
  }
  refresh_pauses_note(options->pauses, source->name, source->every, status);
  if (status == 0 && outcome.is_unchanged)
    buffer_printf(&report, "%s: unchanged\n", source->name);
  if (status == 0 && options->say && !report.failed && !(outcome.is_unchanged && options->only_news))
    options->say(report.data);
  if (status != 0) {
    ++*failed;
    log_message(LOG_WARNING, "%s is not refreshed: %s: %s", source->name, reason.code, reason.message);
  }
  buffer_free(&report);
  return note(options, source, status == 0 ? outcome.digest : NULL, reason.message, error);
}

/* The catalogue is not open any more when the first process is made that reads a source. */
static int read_rows(const struct refresh_options *options, struct arena *arena, const struct kept_source **rows,
                     size_t *count, struct error *error)
{
  struct catalogue *catalogue = NULL;
  int status = catalogue_open_shared(options->data, options->shared, &catalogue, error);
  if (status == 0)
    status = source_book_read(catalogue, arena, rows, count, error);
  catalogue_close(catalogue);
  return status == 0 ? check_names(options, *rows, *count, error) : -1;
}

int source_refresh(const struct refresh_options *options, size_t *failed, struct error *error)
{
  struct arena *arena = arena_new(0);
  const struct kept_source *rows = NULL;
  size_t count = 0;
  *failed = 0;
  int status = arena ? read_rows(options, arena, &rows, &count, error) : error_memory(error);
  for (size_t i = 0; i < count && status == 0 && !(options->cancel && *options->cancel); i++)
    if (is_wanted(options, &rows[i]))
      status = refresh_one(options, &rows[i], failed, error);
  arena_free(arena);
  return status;
}

static void print_row(const struct kept_source *source, struct buffer *out)
{
  char when[40];
  instant_format(source->refreshed * 1000, CALENDAR_GREGORIAN, when);
  buffer_printf(out, "%s\t%s\t", source->name, source->kind[0] ? source->kind : "-");
  if (source->every > 0)
    buffer_printf(out, "every %lld s", (long long)source->every);
  else
    buffer_text(out, "on demand");
  buffer_printf(out, "\t%s\t%s\t%s\n", when, source->address, source->failure[0] ? source->failure : "ok");
}

int source_print(const struct refresh_options *options, struct buffer *out, struct error *error)
{
  struct catalogue *catalogue = NULL;
  struct arena *arena = arena_new(0);
  const struct kept_source *rows = NULL;
  size_t count = 0;
  int status = !arena            ? error_memory(error)
               : options->shared ? catalogue_open_shared(options->data, options->shared, &catalogue, error)
                                 : catalogue_open(options->data, false, &catalogue, error);
  if (status == 0)
    status = source_book_read(catalogue, arena, &rows, &count, error);
  for (size_t i = 0; i < count && status == 0; i++)
    print_row(&rows[i], out);
  catalogue_close(catalogue);
  arena_free(arena);
  return status;
}
