/* The options of `twincube serve`, which are also the keys of its configuration file: one table says how each is
 * called, of what kind it is, what it is by default and where it goes. --help and the example file are printed from it.
 *
 * What the command line says wins over the file, and the file over the defaults. */
#ifndef TWINCUBE_SERVER_COMMANDS_SERVE_OPTIONS_H
#define TWINCUBE_SERVER_COMMANDS_SERVE_OPTIONS_H

#include "server/auth/client_address.h"
#include "server/auth/oidc_settings.h"
#include "server/config/toml.h"
#include "server/export/workspace_settings.h"
#include "server/federation/federation_settings.h"
#include "server/fetch/account_settings.h"
#include "server/http/tls.h"
#include "server/jobs/tariff.h"
#include "server/sources/source_tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SERVE_LIST_MOST = 64 };

struct option_list { /* of an option that may be given again and again */
  const char *values[SERVE_LIST_MOST];
  size_t count;
};

struct serve_options {
  const char *config; /* file, or NULL */
  const char *listen, *data, *specs, *public_url, *oidc, *workspaces, *publish, *store, *shared;
  const char *catalogue;                                /* URI of a shared one, or NULL */
  const char *web_editor;                               /* folder, or NULL */
  const char *udf_python;                               /* program, or NULL: the system's */
  size_t udf_memory;                                    /* bytes of an interpreter */
  const char *device;                                   /* "auto", "cpu", "cuda", "cuda:N" */
  size_t device_memory;                                 /* bytes of each; 0: most of what is free */
  const char *tls_certificate, *tls_key;                /* files, both or none */
  struct option_list stac;                              /* folders that load_stac may read */
  struct option_list stac_editors;                      /* users who change collections by the STAC API */
  struct account_settings remotes;                      /* other hosts that are read, and accounts there */
  struct workspace_settings exports;                    /* workspaces that the operator names */
  struct source_tables sources;                         /* likewise, sources of collections */
  struct option_list namespaces;                        /* what addresses start with where processes may be published */
  size_t memory, result_size, user_results, user_files; /* bytes; user_results 0: no limit */
  size_t tile_cache, remote_cache;                      /* bytes */
  long threads, workers, jobs;                          /* threads 0: default */
  long user_requests, user_jobs, all_jobs;              /* that may wait: of one user, of all */
  long connections, connections_per_address;            /* in all, of one address */
  double request_time, job_time, server_silence;        /* seconds */
  long keep_results;                                    /* days, 0: for ever */
  struct tariff tariff;
  struct proxy_networks proxies;  /* that are believed */
  unsigned log_level, log_format; /* enum log_level, log_format */
  unsigned confine;               /* enum confine_mode: of workers */
  bool verbose, sweep, no_basic, refresh, help;
  struct federation_settings federation;
  json_t *oidc_tables; /* providers that the file itself describes, or NULL; of `values` */
  json_t *values;      /* name → what is in force, owned: the texts above lie in it */
  struct toml file;    /* owned; without values where there is none */
};

enum option_kind {
  OPTION_TEXT,       /* const char * */
  OPTION_URL,        /* the same, http or https */
  OPTION_DATABASE,   /* the same, of a PostgreSQL database: never printed */
  OPTION_FLAG,       /* bool */
  OPTION_SIZE,       /* size_t: bytes */
  OPTION_TIME,       /* double: seconds */
  OPTION_INTEGER,    /* long: 1 to `most` */
  OPTION_CHOICE,     /* unsigned: which of the words of `value`, between bars */
  OPTION_TARIFF,     /* struct tariff */
  OPTION_PATHS,      /* struct option_list; may be repeated, an array in the file */
  OPTION_PREFIXES,   /* likewise, of addresses (web_rule.h) */
  OPTION_USERS,      /* likewise, of names of users */
  OPTION_NETWORKS,   /* struct proxy_networks; likewise */
  OPTION_PROVIDERS,  /* const char *: a file's name; in the file also tables */
  OPTION_BACKENDS,   /* struct federation_settings; may be repeated, texts or tables in the file */
  OPTION_REMOTES,    /* struct account_settings; likewise */
  OPTION_WORKSPACES, /* struct workspace_settings; likewise */
  OPTION_SOURCES     /* struct source_tables; likewise */
};

struct option_row {
  const char *name;     /* without its dashes */
  const char *value;    /* how --help calls its value; NULL: it takes none */
  const char *standard; /* the default, as on the command line; NULL: none, or `help` says it */
  enum option_kind kind;
  size_t place;        /* in struct serve_options */
  long most;           /* of an integer */
  bool is_live;        /* a reload changes it */
  bool is_no_key;      /* of the command line only */
  const char *heading; /* of the rows that begin here; or NULL */
  const char *help;    /* one or two sentences, without a stop at the end */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

bool option_is_repeated(const struct option_row *row); /* it may be given again and again: a list */

/* Reads the command line and the file that it names. -1 to go on; else an exit status, and `error` says why. To be
 * freed in any case. */
int serve_options_read(int argc, char **argv, struct serve_options *out, struct error *error);
/* Reads a configuration file alone, under an empty command line. */
int serve_options_read_file(const char *path, struct serve_options *out, struct error *error);
void serve_options_free(struct serve_options *options);

/* The providers that the options name; NULL where there are none. Errors as of oidc_settings.h, with file and line. */
int serve_options_providers(const struct serve_options *options, struct oidc_settings **out, struct error *error);

/* The certificate that the options name; NULL where there is none. Errors as of tls.h, with file and line. */
int serve_options_tls(const struct serve_options *options, struct tls **out, struct error *error);

/* Prints the options for --help. */
void serve_options_help(FILE *out);
/* Prints the example of a configuration file: every key with its default. */
void serve_options_example(FILE *out);
/* Prints what is in force as a configuration file; defaults are marked. */
void serve_options_print(const struct serve_options *options, FILE *out);

#endif
