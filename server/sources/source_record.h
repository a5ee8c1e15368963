/* What was said when a source was added, as JSON that the catalogue keeps (stac/source_book.h): so it is added again
 * without a word. Accounts are kept as they were written: their secrets stay in files of their own. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_RECORD_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_RECORD_H

#include "server/fetch/account_settings.h"
#include "stac/catalogue.h"

struct source_record {
  json_t *document; /* owned: the texts lie in it */
  struct catalogue_add_options options;
  struct catalogue_nodata *nodata;      /* owned; options.nodata */
  struct catalogue_provider *providers; /* owned; options.providers */
  const char **keywords;                /* owned; options.keywords */
  struct account_settings remotes;
};

/* To be freed; NULL: out of memory. */
char *source_record_write(const struct catalogue_add_options *options, const struct account_settings *remotes);
/* To be freed in any case. Errors: StorageFailure where it is none, or as of account_settings_add. */
int source_record_read(const char *text, struct source_record *out, struct error *error);
void source_record_free(struct source_record *record);

#endif
