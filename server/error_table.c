/* The one table of error codes: facts of the openEO API 1.2.0 (errors.json), and a few codes of ours for what HTTP asks
 * beyond it. Codes that answer 400 need no row. Sorted by code. */
#include "server/error_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error_row {
  const char *code;
  unsigned status;
};

static const struct error_row rows[] = {
    {"AuthenticationRequired", 401},
    {"AuthenticationSchemeInvalid", 403},
    {"CollectionNotFound", 404},
    {"ContentTooLarge", 413}, /* ours: the body is past the limit */
    {"CredentialsInvalid", 403},
    {"EstimateComplexity", 500},
    {"FeatureUnsupported", 501},
    {"FileNotFound", 404},
    {"InfrastructureBusy", 503},
    {"InfrastructureMaintenance", 503},
    {"Internal", 500},
    {"JobNotFound", 404},
    {"MethodNotAllowed", 405}, /* ours */
    {"NotFound", 404},
    {"PaymentRequired", 402},
    {"PermissionsInsufficient", 403},
    {"ProcessGraphNotFound", 404},
    {"RangeNotSatisfiable", 416}, /* ours */
    {"RequestTimeout", 408},
    {"ResultLinkExpired", 410},
    {"ServiceNotFound", 404},
    {"StorageFailure", 500},
    {"TokenInvalid", 403},
    {"TooManyRequests", 429}, /* ours: the login limit */
    {"UnsupportedApiVersion", 404},
};

static int compare_code(const void *key, const void *row)
{
  return strcmp(key, ((const struct error_row *)row)->code);
}

unsigned error_status(const char *code)
{
  const struct error_row *row = bsearch(code, rows, sizeof rows / sizeof rows[0], sizeof rows[0], compare_code);
  return row != NULL ? row->status : 400;
}

void error_text(const struct error *error, char out[ERROR_TEXT_SIZE])
{
  const char *message = error->message[0] ? error->message : "no further details";
  if (error->node[0] && error->parameter[0])
    snprintf(out, ERROR_TEXT_SIZE, "node \"%s\", parameter \"%s\": %s", error->node, error->parameter, message);
  else if (error->node[0])
    snprintf(out, ERROR_TEXT_SIZE, "node \"%s\": %s", error->node, message);
  else if (error->parameter[0])
    snprintf(out, ERROR_TEXT_SIZE, "parameter \"%s\": %s", error->parameter, message);
  else
    snprintf(out, ERROR_TEXT_SIZE, "%s", message);
  for (char *c = out; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = ' ';
}
