/* Fuzzing what strangers and providers send when somebody logs in. The first byte says what the rest is:
 *   J  header, claims and signature of a JSON Web Token on lines of their own, which are put together here
 *   T  a token as it is
 *   K  a JSON Web Key Set       C  claims       S  the operator's settings       F  X-Forwarded-For, entitlements */
#include "server/auth/bearer.h"
#include "server/auth/claims.h"
#include "server/auth/client_address.h"
#include "server/auth/entitlement.h"
#include "server/auth/jwk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct key_set *keys;
static struct oidc_settings *settings;

static void must(bool condition)
{
  if (!condition)
    abort();
}

static const char key_text[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
                               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static const char settings_text[] =
    "{\"providers\":[{\"id\":\"a\",\"title\":\"A\",\"issuer\":\"https://a\",\"audience\":[\"b\"],\"rules\":["
    "{\"entitlement\":\"urn:x:group:g:role=r#h\",\"roles\":[\"operator\"]},{\"entitlement\":\"g\"}],"
    "\"required_scopes\":[\"s\"],\"clients\":[\"c\"],\"entitlement_claims\":[\"groups\",\"a.b\"]}]}";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  struct error error = {0};
  (void)argc, (void)argv;
  must(sodium_init() >= 0);
  must(key_set_parse(key_text, sizeof key_text - 1, &keys, &error) == 0 && key_set_count(keys) == 1);
  must(oidc_settings_from(json_loads(settings_text, 0, NULL), &settings, &error) == 0);
  return 0;
}

/* Nobody can sign with the key, so no token is good. */
static void try_token(const char *token)
{
  struct error error = {0};
  struct jwt jwt;
  if (jwt_parse(token, &jwt, &error) == 0) {
    must(jwt.text_length < strlen(token) && jwt.signature_length <= sizeof jwt.signature);
    must(key_set_verify(keys, &jwt) != KEY_SIGNED);
  } else {
    must(error_is_set(&error));
  }
  jwt_free(&jwt);
}

/* The lines of a text as base64url with dots between. */
static void try_pieces(const char *text)
{
  const size_t room = 2 * strlen(text) + 64;
  char *token = malloc(room);
  size_t used = 0;
  if (token == NULL)
    return;
  for (int piece = 0; piece < 3; piece++) {
    size_t length = strcspn(text, piece < 2 ? "\n" : "");
    sodium_bin2base64(token + used, room - used, (const unsigned char *)text, length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    used += strlen(token + used);
    if (piece < 2)
      token[used++] = '.';
    text += length + (text[length] == '\n');
  }
  token[used] = '\0';
  try_token(token);
  free(token);
}

static void try_claims(const char *text)
{
  struct error error = {0};
  json_t *claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object(claims)) {
    must(claims_check(claims, &settings->providers[0], 1000000, &error) == 0 || error_is_set(&error));
    must((rights_of_claims(claims, &settings->providers[0]).roles & ROLE_USER) != 0);
  }
  json_decref(claims);
}

static void try_settings(const char *text)
{
  struct error error = {0};
  struct oidc_settings *read = NULL;
  json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  if (document == NULL)
    return;
  if (oidc_settings_from(document, &read, &error) == 0)
    must(read->count > 0 && read->providers[0].issuer[0] != '\0');
  else
    must(error_is(&error, ERROR_ServerConfigInvalid));
  oidc_settings_free(read);
}

static void try_texts(const char *text)
{
  struct proxy_networks trusted = {0};
  char client[CLIENT_ADDRESS_SIZE];
  struct error error = {0};
  struct bearer bearer;
  proxy_networks_add(&trusted, "10.0.0.0/8");
  proxy_networks_add(&trusted, text);
  client_address(&trusted, "10.0.0.1", text, client);
  client_network(text, client);
  must(memchr(client, '\0', sizeof client) != NULL);
  entitlement_fulfils(text, "urn:x:group:g:role=r#h");
  entitlement_fulfils("urn:x:group:g:role=r#h", text);
  must(entitlement_fulfils(text, text));
  must(bearer_read(text, &bearer, &error) != 0 || bearer.token[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct error error = {0};
  struct key_set *set = NULL;
  if (size == 0)
    return 0;
  char *text = malloc(size);
  if (text == NULL)
    return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  if (data[0] == 'J')
    try_pieces(text);
  else if (data[0] == 'T')
    try_token(text);
  else if (data[0] == 'C')
    try_claims(text);
  else if (data[0] == 'S')
    try_settings(text);
  else if (data[0] == 'F')
    try_texts(text);
  else if (data[0] == 'K' && key_set_parse(text, size - 1, &set, &error) == 0)
    key_set_free(set);
  free(text);
  return 0;
}
