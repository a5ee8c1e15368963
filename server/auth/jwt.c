/* header.payload.signature, each base64url. Types that are no access token, headers that ask for extensions and
 * algorithms outside the table end here. */
#include "server/auth/jwt.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct jwt_algorithm algorithms[] = {
    {"RS256", JWT_KEY_RSA, NULL, "SHA256", false, 0},    {"RS384", JWT_KEY_RSA, NULL, "SHA384", false, 0},
    {"RS512", JWT_KEY_RSA, NULL, "SHA512", false, 0},    {"PS256", JWT_KEY_RSA, NULL, "SHA256", true, 0},
    {"PS384", JWT_KEY_RSA, NULL, "SHA384", true, 0},     {"PS512", JWT_KEY_RSA, NULL, "SHA512", true, 0},
    {"ES256", JWT_KEY_EC, "P-256", "SHA256", false, 32}, {"ES384", JWT_KEY_EC, "P-384", "SHA384", false, 48},
    {"ES512", JWT_KEY_EC, "P-521", "SHA512", false, 66}, {"EdDSA", JWT_KEY_ED, "Ed25519", NULL, false, 0},
    {"Ed25519", JWT_KEY_ED, "Ed25519", NULL, false, 0},
};

const struct jwt_algorithm *jwt_algorithm_find(const char *name)
{
  for (size_t i = 0; name != NULL && i < sizeof algorithms / sizeof algorithms[0]; i++)
    if (strcmp(name, algorithms[i].name) == 0)
      return &algorithms[i];
  return NULL;
}

long base64url_decode(const char *text, size_t length, unsigned char *out, size_t room)
{
  size_t written = 0;
  if (sodium_base642bin(out, room, text, length, NULL, &written, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
    return -1;
  return (long)written;
}

bool jwt_has_shape(const char *token)
{
  const char *first = strchr(token, '.');
  const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
  return token[0] == 'e' && second != NULL && strchr(second + 1, '.') == NULL;
}

/* The JSON object of a piece, or NULL. */
static json_t *decode_object(const char *text, size_t length)
{
  json_t *object = NULL;
  unsigned char *bytes = malloc(length + 1);
  long decoded = bytes != NULL ? base64url_decode(text, length, bytes, length + 1) : -1;
  if (decoded >= 0)
    object = json_loadb((const char *)bytes, (size_t)decoded, JSON_REJECT_DUPLICATES, NULL);
  free(bytes);
  if (json_is_object(object))
    return object;
  json_decref(object);
  return NULL;
}

/* Tokens of other kinds are signed with the same keys: a logout token, a proof. */
static bool type_is_access(const json_t *type)
{
  const char *text = json_string_value(type);
  return type == NULL || (text != NULL && (strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0 ||
                                           strcasecmp(text, "application/at+jwt") == 0));
}

static int read_header(const json_t *header, struct jwt *out, struct error *error)
{
  const char *algorithm = json_string_value(json_object_get(header, "alg"));
  const json_t *key = json_object_get(header, "kid");
  out->algorithm = jwt_algorithm_find(algorithm);
  if (out->algorithm == NULL)
    return error_set(error, ERROR_TokenInvalid, "a token signed by '%.32s' is not accepted",
                     algorithm != NULL ? algorithm : "nothing");
  if (!type_is_access(json_object_get(header, "typ")))
    return error_set(error, ERROR_TokenInvalid, "the token's type is none of an access token");
  if (json_object_get(header, "crit") != NULL)
    return error_set(error, ERROR_TokenInvalid, "the token asks for extensions (crit), of which none is known here");
  if (key != NULL && (!json_is_string(key) || json_string_length(key) >= JWT_KEY_ID_SIZE))
    return error_set(error, ERROR_TokenInvalid, "the token's key id is too long or no text");
  if (key != NULL)
    snprintf(out->key_id, sizeof out->key_id, "%s", json_string_value(key));
  return 0;
}

int jwt_parse(const char *token, struct jwt *out, struct error *error)
{
  *out = (struct jwt){.text = token};
  if (!jwt_has_shape(token) || strlen(token) > JWT_SIZE_MAX)
    return error_set(error, ERROR_TokenInvalid, "the token is no signed JSON Web Token, or too long");
  const char *payload = strchr(token, '.') + 1, *signature = strchr(payload, '.') + 1;
  out->text_length = (size_t)(signature - 1 - token);
  long length = base64url_decode(signature, strlen(signature), out->signature, sizeof out->signature);
  json_t *header = decode_object(token, (size_t)(payload - 1 - token));
  int status = 0;
  if (header == NULL || length < 0)
    status = error_set(error, ERROR_TokenInvalid, "the token's header or signature cannot be read");
  else
    status = read_header(header, out, error);
  json_decref(header);
  if (status != 0)
    return -1;
  out->signature_length = (size_t)length;
  out->claims = decode_object(payload, (size_t)(signature - 1 - payload));
  return out->claims != NULL ? 0 : error_set(error, ERROR_TokenInvalid, "the token's claims cannot be read");
}

void jwt_free(struct jwt *jwt)
{
  json_decref(jwt->claims);
  *jwt = (struct jwt){0};
}
