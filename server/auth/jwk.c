/* Keys and signatures by OpenSSL's libcrypto. A key is used with the algorithm that its type, its curve and its own
 * `alg` allow, whatever a token says. */
#include "server/auth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MOST = 32, NUMBER_SIZE = 1024, RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192 };

struct public_key {
  char id[JWT_KEY_ID_SIZE];
  enum jwt_key_type type;
  char curve[16];                        /* of JWK, "": none */
  const struct jwt_algorithm *algorithm; /* the only one, or NULL */
  EVP_PKEY *key;
};

struct key_set {
  size_t count;
  struct public_key keys[KEYS_MOST];
};

/* ---- reading ---- */

/* The bytes of a base64url member; -1 where there are none. */
static long member_bytes(const json_t *jwk, const char *name, unsigned char *out, size_t room)
{
  const json_t *text = json_object_get(jwk, name);
  return text != NULL && json_is_string(text)
             ? base64url_decode(json_string_value(text), json_string_length(text), out, room)
             : -1;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *parameters)
{
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = parameters != NULL ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
  if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  EVP_PKEY_CTX_free(context);
  return key;
}

static EVP_PKEY *read_rsa(const json_t *jwk)
{
  unsigned char modulus[NUMBER_SIZE], exponent[NUMBER_SIZE];
  long modulus_length = member_bytes(jwk, "n", modulus, sizeof modulus);
  long exponent_length = member_bytes(jwk, "e", exponent, sizeof exponent);
  if (modulus_length < 0 || exponent_length < 1 || exponent_length > 8)
    return NULL;
  BIGNUM *n = BN_bin2bn(modulus, (int)modulus_length, NULL), *e = BN_bin2bn(exponent, (int)exponent_length, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM *parameters = NULL;
  EVP_PKEY *key = NULL;
  if (n != NULL && e != NULL && builder != NULL && BN_num_bits(n) >= RSA_BITS_LEAST &&
      BN_num_bits(n) <= RSA_BITS_MOST && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    parameters = OSSL_PARAM_BLD_to_param(builder);
  key = make_key("RSA", parameters);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  return key;
}

/* A point of the curve, uncompressed: 4, x, y. */
static EVP_PKEY *read_ec(const json_t *jwk, const struct jwt_algorithm *algorithm)
{
  unsigned char point[1 + 2 * 66] = {4};
  const size_t size = algorithm->number_bytes;
  if (member_bytes(jwk, "x", point + 1, size) != (long)size ||
      member_bytes(jwk, "y", point + 1 + size, size) != (long)size)
    return NULL;
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM *parameters = NULL;
  if (builder != NULL &&
      OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, algorithm->curve, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) == 1)
    parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY *key = make_key("EC", parameters);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  return key;
}

static EVP_PKEY *read_ed(const json_t *jwk)
{
  unsigned char bytes[32];
  if (member_bytes(jwk, "x", bytes, sizeof bytes) != (long)sizeof bytes)
    return NULL;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);
}

/* Some algorithm of a curve, for its measures. */
static const struct jwt_algorithm *algorithm_of_curve(const char *curve)
{
  static const char *const names[] = {"ES256", "ES384", "ES512", "EdDSA"};
  for (size_t i = 0; curve != NULL && i < sizeof names / sizeof names[0]; i++) {
    const struct jwt_algorithm *algorithm = jwt_algorithm_find(names[i]);
    if (strcmp(algorithm->curve, curve) == 0)
      return algorithm;
  }
  return NULL;
}

static bool is_for_signatures(const json_t *jwk)
{
  const char *use = json_string_value(json_object_get(jwk, "use"));
  const json_t *operations = json_object_get(jwk, "key_ops"), *operation;
  size_t i;
  if (use != NULL && strcmp(use, "sig") != 0)
    return false;
  json_array_foreach(operations, i, operation) if (json_is_string(operation) &&
                                                   strcmp(json_string_value(operation), "verify") == 0) return true;
  return operations == NULL;
}

/* false: a key that is none for us. */
static bool read_key(const json_t *jwk, struct public_key *out)
{
  const char *type = json_string_value(json_object_get(jwk, "kty"));
  const char *id = json_string_value(json_object_get(jwk, "kid"));
  const char *own = json_string_value(json_object_get(jwk, "alg"));
  const struct jwt_algorithm *measures = algorithm_of_curve(json_string_value(json_object_get(jwk, "crv")));
  *out = (struct public_key){.algorithm = jwt_algorithm_find(own)};
  if (type == NULL || !is_for_signatures(jwk) || (own != NULL && out->algorithm == NULL) ||
      (id != NULL && strlen(id) >= sizeof out->id))
    return false;
  snprintf(out->id, sizeof out->id, "%s", id != NULL ? id : "");
  if (strcmp(type, "RSA") == 0) {
    out->type = JWT_KEY_RSA;
    out->key = read_rsa(jwk);
  } else if (measures != NULL && strcmp(type, measures->key_type == JWT_KEY_EC ? "EC" : "OKP") == 0) {
    out->type = measures->key_type;
    snprintf(out->curve, sizeof out->curve, "%s", measures->curve);
    out->key = out->type == JWT_KEY_EC ? read_ec(jwk, measures) : read_ed(jwk);
  }
  return out->key != NULL;
}

int key_set_parse(const char *json, size_t length, struct key_set **out, struct error *error)
{
  json_t *document = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL);
  const json_t *keys = json_object_get(document, "keys"), *jwk;
  struct key_set *set = calloc(1, sizeof *set);
  size_t i;
  if (set == NULL || !json_is_array(keys)) {
    json_decref(document);
    key_set_free(set);
    return error_set(error, ERROR_TokenInvalid, "the provider's keys are no JSON Web Key Set");
  }
  json_array_foreach(keys, i, jwk) if (set->count < KEYS_MOST && read_key(jwk, &set->keys[set->count])) set->count++;
  json_decref(document);
  *out = set;
  return 0;
}

void key_set_free(struct key_set *set)
{
  if (set == NULL)
    return;
  for (size_t i = 0; i < set->count; i++)
    EVP_PKEY_free(set->keys[i].key);
  free(set);
}

size_t key_set_count(const struct key_set *set)
{
  return set->count;
}

/* ---- signatures ---- */

/* ECDSA as JOSE writes it, two numbers side by side, as libcrypto reads it: DER. The caller frees *out. */
static int ecdsa_der(const struct jwt *jwt, unsigned char **out)
{
  const size_t size = jwt->algorithm->number_bytes;
  if (jwt->signature_length != 2 * size)
    return -1;
  ECDSA_SIG *signature = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(jwt->signature, (int)size, NULL), *s = BN_bin2bn(jwt->signature + size, (int)size, NULL);
  int length = -1;
  if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
    length = i2d_ECDSA_SIG(signature, out);
  } else {
    BN_free(r);
    BN_free(s);
  }
  ECDSA_SIG_free(signature);
  return length;
}

static bool start_verifying(EVP_MD_CTX *context, const struct jwt_algorithm *algorithm, EVP_PKEY *key)
{
  EVP_PKEY_CTX *parameters = NULL;
  if (context == NULL || EVP_DigestVerifyInit_ex(context, &parameters, algorithm->digest, NULL, NULL, key, NULL) != 1)
    return false;
  return !algorithm->pss || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool key_signed(EVP_PKEY *key, const struct jwt *jwt)
{
  const unsigned char *signature = jwt->signature;
  unsigned char *der = NULL;
  size_t length = jwt->signature_length;
  if (jwt->algorithm->key_type == JWT_KEY_EC) {
    int der_length = ecdsa_der(jwt, &der);
    if (der_length < 0)
      return false;
    signature = der;
    length = (size_t)der_length;
  }
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool signed_it =
      start_verifying(context, jwt->algorithm, key) &&
      EVP_DigestVerify(context, signature, length, (const unsigned char *)jwt->text, jwt->text_length) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  return signed_it;
}

static bool key_fits(const struct public_key *key, const struct jwt *jwt)
{
  const struct jwt_algorithm *algorithm = jwt->algorithm;
  return key->type == algorithm->key_type && (algorithm->curve == NULL || strcmp(key->curve, algorithm->curve) == 0) &&
         (key->algorithm == NULL || key->algorithm == algorithm) &&
         (jwt->key_id[0] == '\0' || strcmp(key->id, jwt->key_id) == 0);
}

enum key_verdict key_set_verify(const struct key_set *set, const struct jwt *jwt)
{
  bool was_named = false;
  for (size_t i = 0; i < set->count; i++) {
    if (!key_fits(&set->keys[i], jwt))
      continue;
    if (key_signed(set->keys[i].key, jwt))
      return KEY_SIGNED;
    was_named = jwt->key_id[0] != '\0';
  }
  return was_named ? KEY_FORGED : KEY_UNKNOWN;
}
