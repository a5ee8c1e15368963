/* Who a user is beside name and password: roles, limits, and the identity at a provider that stands behind it. */
#ifndef TWINCUBE_SERVER_STORE_STORE_IDENTITIES_H
#define TWINCUBE_SERVER_STORE_STORE_IDENTITIES_H

#include "server/store/store.h"

enum { IDENTITY_NAME_SIZE = 129, IDENTITY_ISSUER_SIZE = 512, IDENTITY_SUBJECT_SIZE = 256 };

struct user_rights {
  unsigned roles;   /* of enum role */
  uint64_t results; /* bytes of results that the user may keep; 0: as the server has it */
};

/* What a provider says of somebody. */
struct identity {
  char provider[21]; /* its id: the user's name begins with it */
  char issuer[IDENTITY_ISSUER_SIZE], subject[IDENTITY_SUBJECT_SIZE];
  char name[IDENTITY_NAME_SIZE]; /* for people; "" where nothing is said */
  struct user_rights rights;
};

/* The tables, for store_open. */
extern const char store_identities_schema[];

/* The user of an identity, made at its first login; name and rights are kept as they are now, the name stays where
 * nothing is said. Error PermissionsInsufficient where somebody else has the user's name. */
int store_identity_user(struct store *store, const struct identity *identity, char user[USER_NAME_SIZE],
                        struct error *error);

/* Rights and display name of a user: those of a plain user, and "", where nothing is kept. `name` may be NULL. */
int store_user_rights(struct store *store, const char *user, struct user_rights *out, char name[IDENTITY_NAME_SIZE],
                      struct error *error);
/* Sets the rights of a user who is there. */
int store_user_rights_put(struct store *store, const char *user, const struct user_rights *rights, struct error *error);

#endif
