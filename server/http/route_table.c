/* The table of routes and its search: a path is split at its slashes, each piece decoded, and compared row by row. */
#include "server/http/route_table.h"

#include "server/endpoints/endpoints.h"
#include "server/stac_api/stac_api.h"

#include <stdio.h>
#include <string.h>

/* Of two patterns that fit a path the first counts: an id may look like the end of another row. */
const struct route routes[] = {
    {"GET", "/", ROUTE_ROOT, false, false, get_welcome},
    {"GET", "/openeo", ROUTE_ROOT, false, false, get_welcome},
    {"GET", "/.well-known/openeo", ROUTE_ROOT, false, false, get_well_known},
    {"GET", "/openeo/.well-known/openeo", ROUTE_ROOT, false, false, get_well_known},
    {"GET", "/health", ROUTE_ROOT, false, false, get_health},
    {"GET", "/metrics", ROUTE_ROOT, false, false, get_metrics},
    {"GET", "/console", ROUTE_ROOT, false, false, get_console},
    {"GET", "/web/{path}", ROUTE_ROOT, false, false, get_page_file},
    {"GET", "/editor", ROUTE_ROOT, false, false, get_editor},
    {"GET", "/editor/{path}", ROUTE_ROOT, false, false, get_editor_file},
    {"GET", "/js/{path}", ROUTE_ROOT, false, false, get_editor_part},
    {"GET", "/css/{path}", ROUTE_ROOT, false, false, get_editor_part},
    {"GET", "/img/{path}", ROUTE_ROOT, false, false, get_editor_part},
    {"GET", "/fonts/{path}", ROUTE_ROOT, false, false, get_editor_part},

    {"GET", "/published/{collection_id}/{file}", ROUTE_ROOT, false, false, get_published_file},

    {"GET", "/health", ROUTE_HIDDEN, false, false, get_health},
    {"GET", "/", ROUTE_HIDDEN, false, false, get_capabilities},
    {"GET", "/conformance", ROUTE_API, false, false, get_conformance},
    {"GET", "/file_formats", ROUTE_API, false, false, get_file_formats},
    {"GET", "/service_types", ROUTE_API, false, false, get_service_types},
    {"GET", "/udf_runtimes", ROUTE_API, false, false, get_udf_runtimes},
    {"GET", "/api", ROUTE_HIDDEN, false, false, get_openapi},
    {"GET", "/credentials/oidc", ROUTE_API, false, false, get_credentials_oidc},
    {"GET", "/credentials/basic", ROUTE_API, false, false, get_credentials_basic},
    {"GET", "/me", ROUTE_API, true, false, get_me},
    {"GET", "/collections", ROUTE_API, false, false, get_collections},
    {"GET", "/collections/{collection_id}/queryables", ROUTE_API, false, false, get_queryables},
    {"GET", "/collections/{collection_id}/thumbnail", ROUTE_HIDDEN, false, false, get_collection_thumbnail},
    {"GET", "/collections/{collection_id}/items", ROUTE_API, false, false, get_items},
    {"GET", "/collections/{collection_id}/items/{item_id}", ROUTE_API, false, false, get_item},
    {"GET", "/collections/{collection_id}/browse", ROUTE_HIDDEN, false, false, get_browse},
    {"GET", "/collections/{collection_id}/browse/{period}", ROUTE_HIDDEN, false, false, get_browse},
    {"GET", "/collections/{collection_id}", ROUTE_API, false, false, get_collection},
    {"PUT", "/collections/{collection_id}", ROUTE_HIDDEN, true, true, put_collection},
    {"DELETE", "/collections/{collection_id}", ROUTE_HIDDEN, true, false, delete_collection},
    {"GET", "/processes", ROUTE_API, false, false, get_processes},
    {"GET", "/processing_parameters", ROUTE_API, false, false, get_processing_parameters},
    {"GET", "/process_graphs", ROUTE_API, true, false, get_process_graphs},
    {"GET", "/process_graphs/{process_graph_id}", ROUTE_API, true, false, get_process_graph},
    {"PUT", "/process_graphs/{process_graph_id}", ROUTE_API, true, true, put_process_graph},
    {"DELETE", "/process_graphs/{process_graph_id}", ROUTE_API, true, false, delete_process_graph},
    {"POST", "/validation", ROUTE_API, false, true, post_validation},
    {"POST", "/result", ROUTE_API, true, true, post_result},
    {"GET", "/jobs", ROUTE_API, true, false, get_jobs},
    {"POST", "/jobs", ROUTE_API, true, true, post_jobs},
    {"GET", "/jobs/{job_id}", ROUTE_API, true, false, get_job},
    {"PATCH", "/jobs/{job_id}", ROUTE_API, true, true, patch_job},
    {"DELETE", "/jobs/{job_id}", ROUTE_API, true, false, delete_job},
    {"GET", "/jobs/{job_id}/estimate", ROUTE_API, true, false, get_job_estimate},
    {"GET", "/jobs/{job_id}/explain", ROUTE_HIDDEN, true, false, get_job_explain},
    {"GET", "/jobs/{job_id}/logs", ROUTE_API, true, false, get_job_logs},
    {"GET", "/jobs/{job_id}/events", ROUTE_HIDDEN, false, false, get_job_events}, /* or by a signed link */
    {"GET", "/jobs/{job_id}/results", ROUTE_API, true, false, get_job_results},
    {"POST", "/jobs/{job_id}/results", ROUTE_API, true, false, post_job_results},
    {"DELETE", "/jobs/{job_id}/results", ROUTE_API, true, false, delete_job_results},
    {"GET", "/files", ROUTE_API, true, false, get_files},
    {"GET", "/files/{path}", ROUTE_API, true, false, get_file},
    {"PUT", "/files/{path}", ROUTE_API, true, BODY_STREAMED, put_file},
    {"DELETE", "/files/{path}", ROUTE_API, true, false, delete_file},
    {"GET", "/workspace_providers", ROUTE_API, false, false, get_workspace_providers},
    {"GET", "/workspaces", ROUTE_API, true, false, get_workspaces},
    {"POST", "/workspaces", ROUTE_API, true, true, post_workspaces},
    {"GET", "/workspaces/{workspace_id}", ROUTE_API, true, false, get_workspace},
    {"PATCH", "/workspaces/{workspace_id}", ROUTE_API, true, true, patch_workspace},
    {"DELETE", "/workspaces/{workspace_id}", ROUTE_API, true, false, delete_workspace},
    {"GET", "/services", ROUTE_API, true, false, get_services},
    {"POST", "/services", ROUTE_API, true, true, post_services},
    {"GET", "/services/{service_id}", ROUTE_API, true, false, get_service},
    {"PATCH", "/services/{service_id}", ROUTE_API, true, true, patch_service},
    {"DELETE", "/services/{service_id}", ROUTE_API, true, false, delete_service},
    {"GET", "/services/{service_id}/logs", ROUTE_API, true, false, get_service_logs},
    {"GET", "/services/{service_id}/legend", ROUTE_HIDDEN, false, false, get_service_legend},
    {"GET", "/services/{service_id}/xyz/{z}/{x}/{y}", ROUTE_HIDDEN, false, false, get_service_tile},
    {"GET", "/services/{service_id}/wmts", ROUTE_HIDDEN, false, false, get_service_wmts},
    {"GET", "/services/{service_id}/wmts/1.0.0/WMTSCapabilities.xml", ROUTE_HIDDEN, false, false,
     get_service_wmts_capabilities},
    {"GET", "/services/{service_id}/wmts/{z}/{row}/{column}", ROUTE_HIDDEN, false, false, get_service_wmts_tile},
    {"GET", "/services/{service_id}/wms", ROUTE_HIDDEN, false, false, get_service_wms},
    {"GET", "/services/{service_id}/wcs", ROUTE_HIDDEN, false, false, get_service_wcs},
    {"GET", "/services/{service_id}/ogcapi", ROUTE_HIDDEN, false, false, get_coverage_landing},
    {"GET", "/services/{service_id}/ogcapi/conformance", ROUTE_HIDDEN, false, false, get_coverage_conformance},
    {"GET", "/services/{service_id}/ogcapi/collections", ROUTE_HIDDEN, false, false, get_coverage_collections},
    {"GET", "/services/{service_id}/ogcapi/collections/{id}", ROUTE_HIDDEN, false, false, get_coverage_collection},
    {"GET", "/services/{service_id}/ogcapi/collections/{id}/schema", ROUTE_HIDDEN, false, false, get_coverage_schema},
    {"GET", "/services/{service_id}/ogcapi/collections/{id}/coverage", ROUTE_HIDDEN, false, false, get_coverage},
    {"GET", "/services/{service_id}/ogcapi/collections/{id}/coverage/domainset", ROUTE_HIDDEN, false, false,
     get_coverage_domain},
    {"GET", "/services/{service_id}/ogcapi/collections/{id}/coverage/rangetype", ROUTE_HIDDEN, false, false,
     get_coverage_range},
    {"GET", "/download/{job_id}/{expires}/{signature}/{file}", ROUTE_HIDDEN, false, false, get_download},

    {"GET", "/stac", ROUTE_STAC, false, false, stac_get_landing},
    {"GET", "/stac/conformance", ROUTE_STAC, false, false, stac_get_conformance},
    {"GET", "/stac/api", ROUTE_STAC, false, false, stac_get_openapi},
    {"GET", "/stac/children", ROUTE_STAC, false, false, stac_get_children},
    {"GET", "/stac/more", ROUTE_STAC, false, false, stac_get_more},
    {"GET", "/stac/queryables", ROUTE_STAC, false, false, stac_get_queryables},
    {"GET", "/stac/opensearch.xml", ROUTE_STAC, false, false, stac_get_opensearch},
    {"GET", "/stac/search", ROUTE_STAC, false, false, stac_get_search},
    {"POST", "/stac/search", ROUTE_STAC, false, true, stac_post_search},
    {"GET", "/stac/aggregate", ROUTE_STAC, false, false, stac_get_aggregate},
    {"POST", "/stac/aggregate", ROUTE_STAC, false, true, stac_post_aggregate},
    {"GET", "/stac/aggregations", ROUTE_STAC, false, false, stac_get_aggregations},
    {"GET", "/stac/collections", ROUTE_STAC, false, false, stac_get_collections},
    {"POST", "/stac/collections", ROUTE_STAC, true, true, stac_post_collections},
    {"GET", "/stac/collections/{collection_id}/queryables", ROUTE_STAC, false, false, stac_get_queryables},
    {"GET", "/stac/collections/{collection_id}/aggregate", ROUTE_STAC, false, false, stac_get_aggregate},
    {"POST", "/stac/collections/{collection_id}/aggregate", ROUTE_STAC, false, true, stac_post_aggregate},
    {"GET", "/stac/collections/{collection_id}/aggregations", ROUTE_STAC, false, false, stac_get_aggregations},
    {"GET", "/stac/collections/{collection_id}/thumbnail", ROUTE_STAC, false, false, get_collection_thumbnail},
    {"POST", "/stac/collections/{collection_id}/bulk_items", ROUTE_STAC, true, true, stac_post_bulk_items},
    {"GET", "/stac/collections/{collection_id}/items", ROUTE_STAC, false, false, stac_get_items},
    {"POST", "/stac/collections/{collection_id}/items", ROUTE_STAC, true, true, stac_post_items},
    {"GET", "/stac/collections/{collection_id}/items/{item_id}", ROUTE_STAC, false, false, stac_get_item},
    {"PUT", "/stac/collections/{collection_id}/items/{item_id}", ROUTE_STAC, true, true, stac_put_item},
    {"PATCH", "/stac/collections/{collection_id}/items/{item_id}", ROUTE_STAC, true, true, stac_patch_item},
    {"DELETE", "/stac/collections/{collection_id}/items/{item_id}", ROUTE_STAC, true, false, stac_delete_item},
    {"GET", "/stac/collections/{collection_id}/browse", ROUTE_STAC, false, false, get_browse},
    {"GET", "/stac/collections/{collection_id}/browse/{period}", ROUTE_STAC, false, false, get_browse},
    {"GET", "/stac/collections/{collection_id}", ROUTE_STAC, false, false, stac_get_collection},
    {"PUT", "/stac/collections/{collection_id}", ROUTE_STAC, true, true, stac_put_collection},
    {"PATCH", "/stac/collections/{collection_id}", ROUTE_STAC, true, true, stac_patch_collection},
    {"DELETE", "/stac/collections/{collection_id}", ROUTE_STAC, true, false, stac_delete_collection},
    {"GET", "/dcat", ROUTE_STAC, false, false, get_dcat},
};
const size_t route_count = sizeof routes / sizeof routes[0];

static size_t count_pieces(const char *path)
{
  const char *piece;
  size_t count = 0;
  while (path_piece(&path, &piece) > 0)
    count++;
  return count;
}

/* Ids of collections and paths of files may have slashes, which clients send as they are: takes all pieces but as many
 * as the pattern still wants. */
static size_t next_id(const char **path, const char **piece, size_t wanted_behind)
{
  const size_t pieces = count_pieces(*path);
  const char *inner;
  size_t length = path_piece(path, piece);
  for (size_t i = wanted_behind + 1; i < pieces; i++) {
    path_piece(path, &inner);
    length = (size_t)(*path - *piece);
  }
  return length;
}

static bool is_placeholder(const char *piece, size_t length, const char *name)
{
  return strlen(name) == length && memcmp(piece, name, length) == 0;
}

/* Compares piece by piece; the API's root is gone from a path below it. */
static bool path_matches(const struct route *route, const char *path,
                         char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE])
{
  const char *p = route->path, *want, *have;
  size_t found = 0;
  for (;;) {
    size_t want_length = path_piece(&p, &want);
    const bool is_path = is_placeholder(want, want_length, "{path}");
    const bool is_long = is_path || is_placeholder(want, want_length, "{collection_id}");
    size_t have_length = is_long ? next_id(&path, &have, count_pieces(p)) : path_piece(&path, &have);
    if (want_length == 0 || have_length == 0)
      return want_length == 0 && have_length == 0;
    char decoded[PATH_PARAMETER_SIZE];
    const bool may_be_long = is_path || is_placeholder(want, want_length, "{item_id}"); /* the path of a scene */
    if (http_decode(have, have_length, decoded, may_be_long ? PATH_PARAMETER_SIZE : ID_SIZE) != 0) {
      if (!is_path)
        return false;
      decoded[0] = '\0'; /* a path that cannot be one: for its handler to say so */
    }
    if (want[0] == '{')
      memcpy(parameters[found++], decoded, sizeof decoded);
    else if (strlen(decoded) != want_length || memcmp(decoded, want, want_length) != 0)
      return false;
  }
}

static void add_method(struct route_match *match, const char *method)
{
  size_t used = strlen(match->methods);
  snprintf(match->methods + used, sizeof match->methods - used, "%s%s%s", used ? ", " : "", method,
           strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

void route_find(const char *method, const char *path, struct route_match *match,
                char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE])
{
  *match = (struct route_match){.api = api_version_of(&path)};
  if (strcmp(method, "HEAD") == 0)
    method = "GET";
  const char *pattern = NULL;
  for (size_t i = 0; i < route_count; i++) {
    const bool is_below_root = routes[i].kind == ROUTE_ROOT || routes[i].kind == ROUTE_STAC;
    if (is_below_root != (match->api == NULL) || (pattern != NULL && strcmp(pattern, routes[i].path) != 0) ||
        !path_matches(&routes[i], path, parameters))
      continue;
    pattern = routes[i].path;
    match->path_known = true;
    add_method(match, routes[i].method);
    if (strcmp(method, routes[i].method) == 0)
      match->route = &routes[i];
  }
  add_method(match, "OPTIONS");
}

/* What the operator has not switched on is answered, but not listed. */
static bool is_offered(const struct route *route, const struct server *server)
{
  if (strncmp(route->path, "/workspace", strlen("/workspace")) == 0)
    return server->settings.workspaces != NULL || server->settings.exports != NULL;
  if (route->handle == get_credentials_basic)
    return auth_has_basic(server->auth);
  if (route->handle == get_udf_runtimes)
    return server->settings.udf_python != NULL;
  return route->handle != get_credentials_oidc || auth_has_oidc(server->auth);
}

bool route_is_first(size_t i, const struct server *server)
{
  for (size_t j = 0; j < i; j++)
    if (routes[j].kind == ROUTE_API && strcmp(routes[j].path, routes[i].path) == 0)
      return false;
  return routes[i].kind == ROUTE_API && is_offered(&routes[i], server);
}
