/* What was said of a token lately, by the token's hash: a table of a fixed size in which newer entries take over. */
#ifndef TWINCUBE_SERVER_AUTH_TOKEN_MEMORY_H
#define TWINCUBE_SERVER_AUTH_TOKEN_MEMORY_H

#include <jansson.h>
#include <stdbool.h>

struct token_memory; /* thread safe */

struct token_memory *token_memory_new(void); /* or NULL: out of memory */
void token_memory_free(struct token_memory *memory);

/* Whether something is known: *claims is then a copy, the caller's, or NULL where the token was refused. */
bool token_memory_find(struct token_memory *memory, const char *token, json_t **claims);
/* Remembers a copy of the claims, or (NULL) that the token was refused. */
void token_memory_put(struct token_memory *memory, const char *token, const json_t *claims, long seconds);

#endif
