/* The store: users, tokens, settings, jobs and their logs. Its place is a data folder, for DIR/server.sqlite and one
 * server, or the URI of a PostgreSQL database ("postgresql://…", libpq's), which several servers may share.
 *
 * One handle a thread, with a connection of its own; handles of several threads and processes may be open at once.
 * Every change is one transaction, so after `kill -9` at any point the store holds the state before a change or after
 * it. A database that does not answer is error InfrastructureMaintenance; a handle connects again by itself. Times are
 * Unix milliseconds. */
#ifndef TWINCUBE_SERVER_STORE_STORE_H
#define TWINCUBE_SERVER_STORE_STORE_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum { USER_NAME_SIZE = 65, PASSWORD_HASH_SIZE = 128, TOKEN_HASH_BYTES = 32 };

/* Opens the store of a place and makes it where there is none. Errors StorageFailure, InfrastructureMaintenance. */
int store_open(const char *place, struct store **out, struct error *error);
void store_close(struct store *store); /* NULL is allowed */

/* Whether several servers may use the store of this place, this store. */
bool store_place_is_shared(const char *place);
bool store_is_shared(const struct store *store);

/* Gives a part of the space that deleted rows left back to the disk; true while there may be more of it. */
bool store_shrink(struct store *store);

int64_t store_now(void);

/* A secret of the server (32 random bytes, made at the first call). */
int store_secret(struct store *store, unsigned char out[32], struct error *error);

/* Letters, digits and - . _ ~, at most 64: what may stand in a URL. */
bool user_name_is_valid(const char *name);
/* Makes the user, or replaces the password and ends the user's tokens. */
int store_user_put(struct store *store, const char *name, const char *password_hash, struct error *error);
/* Removes user, tokens and jobs. *found tells whether there was one. */
int store_user_remove(struct store *store, const char *name, bool *found, struct error *error);
/* Calls `report` for each user, by name. */
int store_user_list(struct store *store, void (*report)(void *data, const char *name, int64_t created), void *data,
                    struct error *error);
/* The password hash; *found is false where there is no such user. */
int store_user_hash(struct store *store, const char *name, char out[PASSWORD_HASH_SIZE], bool *found,
                    struct error *error);

/* Tokens are kept as hashes. Adding one also removes those that have expired. */
int store_token_put(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], const char *user, int64_t expires,
                    struct error *error);
/* The token's user; *found is false where there is no such token or it has expired. */
int store_token_user(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], char user[USER_NAME_SIZE],
                     bool *found, struct error *error);

#endif
