/* Kinds of sources: how what lies at an address is listed. A row each; what is listed becomes a collection in one way
 * (source_add.h). */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_KIND_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_KIND_H

#include "server/sources/source_listing.h"
#include "server/sources/source_session.h"

struct source_kind {
  const char *name;                  /* of --source */
  const char *what;                  /* for people */
  bool (*fits)(const char *address); /* whether an address tells by itself that it is one */
  /* Adds the files that are there. NULL: no files are listed; the catalogue reads what lies at the address itself. */
  int (*list)(struct source_session *session, const char *address, struct source_listing *listing, struct error *error);
};

/* By name; NULL: no such. */
const struct source_kind *source_kind_named(const char *name);
/* By the address: the first row that it fits. One always does. */
const struct source_kind *source_kind_of(const char *address);
/* The rows in order; NULL behind the last one. */
const struct source_kind *source_kind_at(size_t index);

/* ---- the rows' functions ---------------------------------------------------------------------------------------- */

int list_bucket(struct source_session *session, const char *address, struct source_listing *listing,
                struct error *error);
int list_webdav(struct source_session *session, const char *address, struct source_listing *listing,
                struct error *error);

int list_opendap(struct source_session *session, const char *address, struct source_listing *listing,
                 struct error *error);
int list_thredds(struct source_session *session, const char *address, struct source_listing *listing,
                 struct error *error);
int list_esgf(struct source_session *session, const char *address, struct source_listing *listing, struct error *error);
int list_replicas(struct source_session *session, const char *address, struct source_listing *listing,
                  struct error *error);
int list_features(struct source_session *session, const char *address, struct source_listing *listing,
                  struct error *error);

/* What a dataset of OPeNDAP is listed as: a file of netCDF, as whose view it is read. NULL: out of memory. */
const char *opendap_name(struct arena *arena, const char *name);

/* davs://HOST/PATH is https://HOST/PATH, dav:// http://; other addresses are as they are. NULL: out of memory. */
const char *source_web_address(struct arena *arena, const char *address);

#endif
