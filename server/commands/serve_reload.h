/* The settings that may change while the server runs: setting them at the start, and reading them again for SIGHUP.
 * What cannot change is named in the log. */
#ifndef TWINCUBE_SERVER_COMMANDS_SERVE_RELOAD_H
#define TWINCUBE_SERVER_COMMANDS_SERVE_RELOAD_H

#include "server/commands/serve_options.h"

struct server;
struct export_hub;
struct fetch_process;
struct refresh_process;
struct tariff_kept;

struct serve_reload {
  int argc; /* the command line, which still wins over the file */
  char **argv;
  const struct serve_options *started; /* what the server was started with; borrowed: its texts are in use */
  struct serve_options now;            /* what was read last, owned; all zero: never */
  struct server *server;
  struct fetch_process *fetch;     /* or NULL */
  struct export_hub *exports;      /* likewise */
  struct refresh_process *refresh; /* likewise */
  struct tls *tls;                 /* or NULL */
  struct tariff_kept *tariffs;     /* the newest first, owned: somebody may still read an older one */
  json_t *providers;               /* the document that is in force, or NULL; owned */
};

/* At the start: the limits of the server, and who may log in. */
int serve_start_limits(struct serve_reload *reload, struct error *error);
int serve_start_auth(struct serve_reload *reload, struct error *error);

/* Whether there is something to read again; without a file and a certificate a hangup ends the server. */
bool serve_reload_is_wanted(const struct serve_options *options);
/* Main thread. Settings with an error are told in the log, and nothing changes. */
void serve_reload(struct serve_reload *reload);
void serve_reload_free(struct serve_reload *reload); /* after the server */

#endif
