/* What a back-end of the federation says of itself: whether it is there, its collections, processes and file formats.
 *
 * Asked for without any token, so that nothing private gets into our lists. Its documents are gone through as text; one
 * collection at a time becomes a tree, and is kept as the text that our lists show. */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_SURVEY_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_SURVEY_H

#include "server/federation/federation_settings.h"
#include "server/web/web_kept.h"

/* What we call ourselves when we ask (header Via): one who is asked so answers for itself alone, which keeps two
 * servers that share their collections from asking each other for ever. */
#define FEDERATION_VIA "twincube-federation"

enum survey_list { SURVEY_COLLECTIONS, SURVEY_PROCESSES, SURVEY_FORMATS, SURVEY_LISTS };

struct listed_collection {
  char *name;  /* here: BACKEND|ID, or its alias */
  char *id;    /* there */
  char *title; /* or NULL */
  char *json;  /* see struct collection_texts */
  char *links;
};

struct backend_survey { /* all zero: nothing is known */
  bool is_known[SURVEY_LISTS];
  bool speaks_openeo;                    /* else it is a STAC API, whose collections can be listed */
  bool writes_vectors;                   /* to netCDF; known with the formats */
  struct listed_collection *collections; /* by name */
  size_t count;
  json_t *processes, *formats; /* names → true; formats, which it writes, in small letters */
};

struct survey_place { /* who asks whom */
  const struct backend_settings *backend;
  struct web_kept *kept;
  const atomic_bool *stopping;
};

struct search_ability { /* what a search there does that says so among its classes of conformance */
  bool sorts, filters, queries;
};

struct backend_look {
  bool speaks_openeo, has_jobs;
  char search[BACKEND_URL_SIZE]; /* where its items are searched by POST; "": nowhere */
  struct search_ability ability;
};
/* Whether it is there, by its first document. Errors as of web_fetch, InfrastructureBusy where it is no API. */
int backend_survey_look(const struct survey_place *place, struct backend_look *out, struct error *error);
/* Its lists; those that cannot be had are not known, and the error tells of the first. */
int backend_survey_read(const struct survey_place *place, bool speaks_openeo, struct backend_survey *out,
                        struct error *error);
void backend_survey_free(struct backend_survey *survey);

#endif
