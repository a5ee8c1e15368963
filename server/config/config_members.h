/* An object of settings read by a table: the members that it may have, of which kind, and where they go. What is wrong
 * is told with its place, as "PLACE.NAME: what is wanted". */
#ifndef TWINCUBE_SERVER_CONFIG_CONFIG_MEMBERS_H
#define TWINCUBE_SERVER_CONFIG_CONFIG_MEMBERS_H

#include "datacube/base/error.h"

#include <jansson.h>
#include <stdbool.h>

enum config_member_kind {
  MEMBER_TEXT,    /* const char *: not empty */
  MEMBER_URL,     /* const char *: an absolute address */
  MEMBER_TEXTS,   /* const json_t *: array of such texts */
  MEMBER_FLAG,    /* bool */
  MEMBER_SECONDS, /* long: 0 or more */
  MEMBER_CHOICE,  /* unsigned: index of the text in `choices` */
  MEMBER_VALUE    /* const json_t *: looked at elsewhere */
};

struct config_member {
  const char *name;
  enum config_member_kind kind;
  void *to;
  const char *const *choices; /* NULL at the end */
};

/* Reads an object by its table of members, which a row without a name ends. Texts and values stay the object's. Error
 * ServerConfigInvalid. */
int config_read_object(const json_t *object, const struct config_member *members, const char *place,
                       struct error *error);

/* Sets that error; always -1. */
int config_wrong(struct error *error, const char *place, const char *name, const char *what);

/* Whether an address is https without a user in it, or http where that is allowed or leads to this machine. */
bool config_url_is_allowed(const char *url, bool allow_http);

#endif
