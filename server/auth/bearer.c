#include "server/auth/bearer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *authorization_rest(const char *authorization, const char *scheme)
{
  size_t length = strlen(scheme);
  if (strncasecmp(authorization, scheme, length) != 0 || authorization[length] != ' ')
    return NULL;
  return authorization + length + strspn(authorization + length, " ");
}

/* METHOD/PROVIDER/TOKEN: tokens of other methods and forms are none of ours. */
static int read_prefix(const char *text, struct bearer *out, struct error *error)
{
  const char *provider = strchr(text, '/') + 1, *end = strchr(provider, '/');
  const size_t method = (size_t)(provider - 1 - text), length = end != NULL ? (size_t)(end - provider) : 0;
  if (end != NULL && length == 0 && method == 5 && memcmp(text, "basic", 5) == 0)
    out->kind = BEARER_BASIC;
  else if (length > 0 && length < BEARER_PROVIDER_SIZE && method == 4 && memcmp(text, "oidc", 4) == 0)
    out->kind = BEARER_PROVIDER;
  else
    return error_set(error, ERROR_AuthenticationSchemeInvalid,
                     "a token is wanted as basic//TOKEN, oidc/PROVIDER/TOKEN, or as it is where it has no slash");
  snprintf(out->provider, sizeof out->provider, "%.*s", (int)length, provider);
  out->token = end + 1;
  return 0;
}

int bearer_read(const char *authorization, struct bearer *out, struct error *error)
{
  *out = (struct bearer){0};
  if (authorization == NULL || authorization[0] == '\0')
    return error_set(error, ERROR_AuthenticationRequired, "a bearer token is wanted; please log in");
  const char *text = authorization_rest(authorization, "Bearer");
  if (text == NULL)
    return error_set(error, ERROR_AuthenticationSchemeInvalid, "this endpoint takes `Authorization: Bearer TOKEN`");
  if (strlen(text) > JWT_SIZE_MAX)
    return error_set(error, ERROR_TokenInvalid, "the token is longer than %d bytes", JWT_SIZE_MAX);
  out->token = text;
  out->kind = jwt_has_shape(text) ? BEARER_JWT : BEARER_PLAIN;
  if (strchr(text, '/') != NULL && read_prefix(text, out, error) != 0)
    return -1;
  return out->token[0] != '\0' ? 0 : error_set(error, ERROR_TokenInvalid, "the token is empty");
}
