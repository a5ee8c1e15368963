/* What an operator says of other hosts: which may be read, and our accounts there.
 *
 *   remote = ["https://example.org/data/"]        # what addresses begin with; or tables:
 *
 *   [[remote]]
 *   url = "s3://bucket/start/"                    # what addresses begin with
 *   endpoint = "https://s3.example.org"           # S3 elsewhere than at AWS …
 *   key_id = "AKIA…"                              # … signed with this key, of whose secret the file has one line
 *   secret_file = "/etc/twincube/s3.secret"
 *
 *   [[remote]]
 *   url = "https://door.example.org/data/"        # WebDAV whose door sends who reads or writes to pools …
 *   token_file = "/etc/twincube/door.token"
 *   redirects = ["*.pools.example.org"]           # … on these hosts, which do not get the token
 *
 * Secrets stand in files of their own, whose first line counts. */
#ifndef TWINCUBE_SERVER_FETCH_ACCOUNT_SETTINGS_H
#define TWINCUBE_SERVER_FETCH_ACCOUNT_SETTINGS_H

#include "server/fetch/fetch_account.h"

#include <jansson.h>

struct account_settings { /* all zero: no other host is read */
  json_t *document;       /* owned: the prefixes lie in it */
  const char *prefixes[FETCH_ACCOUNTS_MOST];
  size_t prefix_count;
  struct fetch_account *accounts; /* owned */
  size_t account_count;
};

/* Adds a text, or an array of texts and of tables {"url", …}, and reads the files that these name. To be freed in any
 * case. Error ServerConfigInvalid, which begins with the place: "remote[0].url: …". */
int account_settings_add(struct account_settings *settings, json_t *document, struct error *error);
int account_settings_add_prefix(struct account_settings *settings, const char *prefix, struct error *error);
/* Adds the tables [[remote]] of a TOML file with nothing else in it. Errors as above with file and line, and
 * FileNotFound. */
int account_settings_add_file(struct account_settings *settings, const char *path, struct error *error);
void account_settings_free(struct account_settings *settings);

/* Borrows the settings. */
struct fetch_access account_settings_access(const struct account_settings *settings);

#endif
