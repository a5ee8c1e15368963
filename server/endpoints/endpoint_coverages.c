/* Coverages of web services: the OGC API's resources and WCS by key-value pairs. Both read what is wanted into one
 * choice, and a worker makes the file. */
#include "server/endpoints/endpoints.h"

#include "server/services/coverage_documents.h"
#include "server/services/coverage_request.h"
#include "server/services/ogc_errors.h"
#include "server/workers/worker_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef void document_writer(const struct ogc_document *document);

static void reply_document(struct exchange *exchange, const struct looking *at, const char *media_type,
                           document_writer *write)
{
  char url[2 * BASE_URL_SIZE];
  struct buffer out = {0};
  snprintf(url, sizeof url, "%s/services/%s%s", exchange->base, at->service.id, at->view.type->path);
  write(&(struct ogc_document){.at = at, .url = url, .out = &out});
  reply_typed(exchange, media_type, &out);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void coverage_answer(struct exchange *exchange, const struct map_reply *answer, const struct error *error,
                            void *data)
{
  (void)data;
  struct http_response *response = error == NULL ? worker_file_response(answer->folder, answer->worker) : NULL;
  if (error != NULL)
    reply_error(exchange, error);
  else if (response == NULL)
    reply_code(exchange, ERROR_Internal, "the worker left no file");
  else
    reply(exchange, response);
}

static void reply_coverage(struct exchange *exchange, const struct looking *at, enum coverage_dialect dialect)
{
  struct error error = {0};
  json_t *choice = map_choice_read(exchange, &at->view, &error);
  json_t *wanted = choice != NULL ? coverage_request_read(exchange, &at->view, dialect, &error) : NULL;
  if (wanted == NULL) {
    reply_error(exchange, &error);
  } else {
    json_object_set_new(choice, "coverage", wanted);
    const struct map_question question = {.service = &at->service, .task = {.operation = MAP_PART}, .choice = choice};
    map_ask(exchange, &question, coverage_answer, NULL);
  }
  json_decref(choice);
}

/* ---- OGC API ----------------------------------------------------------------------------------------------------- */

static void reply_resource(struct exchange *exchange, const char *media_type, document_writer *write)
{
  struct looking at;
  if (looking_begin(exchange, "OGC-API-Coverages", &at) != 0)
    return;
  reply_document(exchange, &at, media_type, write);
  looking_end(&at);
}

void get_coverage_landing(struct exchange *exchange)
{
  reply_resource(exchange, "application/json", coverage_landing);
}

void get_coverage_conformance(struct exchange *exchange)
{
  reply_resource(exchange, "application/json", coverage_conformance);
}

void get_coverage_collections(struct exchange *exchange)
{
  reply_resource(exchange, "application/json", coverage_collections);
}

/* Of the one collection, or the answer that there is no other. */
static void reply_of_collection(struct exchange *exchange, const char *media_type, document_writer *write)
{
  if (strcmp(exchange->parameters[1], MAP_LAYER) == 0)
    reply_resource(exchange, media_type, write);
  else
    reply_code(exchange, ERROR_CollectionNotFound, "the one collection of this service is '%s'", MAP_LAYER);
}

void get_coverage_collection(struct exchange *exchange)
{
  reply_of_collection(exchange, "application/json", coverage_collection);
}

void get_coverage_schema(struct exchange *exchange)
{
  reply_of_collection(exchange, "application/schema+json", coverage_schema);
}

void get_coverage_domain(struct exchange *exchange)
{
  reply_of_collection(exchange, "application/json", coverage_domain);
}

void get_coverage_range(struct exchange *exchange)
{
  reply_of_collection(exchange, "application/json", coverage_range);
}

void get_coverage(struct exchange *exchange)
{
  struct looking at;
  if (strcmp(exchange->parameters[1], MAP_LAYER) != 0) {
    reply_of_collection(exchange, NULL, NULL);
    return;
  }
  if (looking_begin(exchange, "OGC-API-Coverages", &at) != 0)
    return;
  reply_coverage(exchange, &at, COVERAGE_OGC_API);
  looking_end(&at);
}

/* ---- WCS --------------------------------------------------------------------------------------------------------- */

/* coverageId of the query, which has to name the one coverage. */
static bool names_coverage(const struct exchange *exchange, struct error *error)
{
  char id[64];
  const int given = http_query(exchange->http, "coverageid", id, sizeof id);
  if (given > 0 && strcmp(id, MAP_LAYER) == 0)
    return true;
  error_parameter(error, given == 0 ? ERROR_QueryParameterInvalid : ERROR_NotFound, "coverageId",
                  "wants the one coverage of this service, '%s'", MAP_LAYER);
  return false;
}

static void reply_wcs(struct exchange *exchange, const struct looking *at, const char *request)
{
  struct error error = {0};
  char text[64];
  if (strcasecmp(request, "GetCapabilities") == 0 || request[0] == '\0')
    reply_document(exchange, at, "application/xml", wcs_capabilities);
  else if (strcasecmp(request, "DescribeCoverage") != 0 && strcasecmp(request, "GetCoverage") != 0)
    error_parameter(&error, ERROR_QueryParameterInvalid, "request",
                    "there is no '%.30s'; wants GetCapabilities, DescribeCoverage or GetCoverage", request);
  else if (http_query(exchange->http, "version", text, sizeof text) > 0 && strncmp(text, "2.0", 3) != 0)
    error_parameter(&error, ERROR_QueryParameterInvalid, "version", "this is version 2.0.1");
  else if (!names_coverage(exchange, &error))
    ;
  else if (strcasecmp(request, "DescribeCoverage") == 0)
    reply_document(exchange, at, "application/xml", wcs_description);
  else if (http_query(exchange->http, "mediatype", text, sizeof text) != 0)
    error_parameter(&error, ERROR_QueryParameterInvalid, "mediatype", "coverages come without a multipart envelope");
  else
    reply_coverage(exchange, at, COVERAGE_WCS);
  if (error_is_set(&error))
    reply_error(exchange, &error);
}

void get_service_wcs(struct exchange *exchange)
{
  char request[32];
  struct looking at;
  if (looking_begin(exchange, "WCS", &at) != 0)
    return;
  ogc_errors_begin(exchange, OGC_WCS);
  if (http_query(exchange->http, "request", request, sizeof request) <= 0)
    request[0] = '\0';
  reply_wcs(exchange, &at, request);
  looking_end(&at);
}
