/* The handlers, one file a family. Each answers its exchange once. */
#ifndef TWINCUBE_SERVER_ENDPOINTS_ENDPOINTS_H
#define TWINCUBE_SERVER_ENDPOINTS_ENDPOINTS_H

#include "server/server.h"

#define OPENAPI_MEDIA_TYPE "application/vnd.oai.openapi+json;version=3.0"

/* endpoint_capabilities.c */
void get_welcome(struct exchange *exchange);
void get_well_known(struct exchange *exchange);
void get_capabilities(struct exchange *exchange);
void get_conformance(struct exchange *exchange);
void get_file_formats(struct exchange *exchange);
/* endpoint_udf.c */
void get_udf_runtimes(struct exchange *exchange);
/* endpoint_health.c */
void get_health(struct exchange *exchange);
void get_metrics(struct exchange *exchange);
/* endpoint_federation.c */
struct federation;
/* The federation to show to who asks: NULL where there is none, or where another server of one asks for its own. */
struct federation *asked_federation(const struct exchange *exchange);
/* The document of the collection that the path names, here or of the federation. Errors as of federation_find. */
int collection_document(struct exchange *exchange, struct buffer *json, struct error *error);
/* Writes a member into an open object that says that only this server has it; nothing without a federation. */
void write_own_backend(const struct exchange *exchange, struct json_writer *w);
/* In place of the error that there is no such collection: where the items of another back-end's collection are. */
void tell_items_elsewhere(const struct exchange *exchange, struct error *error);
/* A process's object, as it stands in a text, with the back-ends that have one of this id; NULL: it is this server's
 * alone. */
void write_supported(struct federation *federation, const char *id, const char *json, size_t length,
                     struct json_writer *w);
/* endpoint_collections.c */
void get_collections(struct exchange *exchange);
void get_collection(struct exchange *exchange);
void get_queryables(struct exchange *exchange);
/* endpoint_thumbnails.c */
void get_collection_thumbnail(struct exchange *exchange);
struct job;
void reply_result_thumbnail(struct exchange *exchange, const struct job *job); /* of a finished job; its link is good */
/* endpoint_items.c */
void get_items(struct exchange *exchange);
void get_item(struct exchange *exchange);
/* endpoint_processes.c */
void get_processes(struct exchange *exchange);
/* endpoint_parameters.c */
void get_processing_parameters(struct exchange *exchange);
/* endpoint_process_graphs.c */
void get_process_graphs(struct exchange *exchange);
void get_process_graph(struct exchange *exchange);
void put_process_graph(struct exchange *exchange);
void delete_process_graph(struct exchange *exchange);
/* endpoint_auth.c */
void get_credentials_basic(struct exchange *exchange);
void get_credentials_oidc(struct exchange *exchange);
void get_me(struct exchange *exchange);
/* endpoint_openapi.c */
void get_openapi(struct exchange *exchange);
/* endpoint_result.c */
void post_validation(struct exchange *exchange);
void post_result(struct exchange *exchange);
void get_job_estimate(struct exchange *exchange);
void get_job_explain(struct exchange *exchange);
/* endpoint_jobs.c */
void get_jobs(struct exchange *exchange);
void post_jobs(struct exchange *exchange);
void get_job(struct exchange *exchange);
void patch_job(struct exchange *exchange);
void delete_job(struct exchange *exchange);
/* Reads the job of the path, or answers: -1. */
int get_own_job(struct exchange *exchange, struct job *job);
/* endpoint_logs.c */
void get_job_logs(struct exchange *exchange);
/* The members of an entry, within an object that the caller opens and closes. */
void write_log_members(struct json_writer *w, const struct job_log *log);
/* endpoint_events.c */
void get_job_events(struct exchange *exchange);
enum { EVENT_LINK_SECONDS = 15 * 60 };
/* Name under which the link to a job's events is signed; no outcome's file has a tilde in its name. */
#define EVENT_LINK_NAME "~events"
/* endpoint_results.c */
void post_job_results(struct exchange *exchange);
void get_job_results(struct exchange *exchange);
void delete_job_results(struct exchange *exchange);
void get_download(struct exchange *exchange);
/* endpoint_publish.c */
void put_collection(struct exchange *exchange);
void delete_collection(struct exchange *exchange);
void get_published_file(struct exchange *exchange);
/* endpoint_workspaces.c */
void get_workspace_providers(struct exchange *exchange);
void get_workspaces(struct exchange *exchange);
void post_workspaces(struct exchange *exchange);
void get_workspace(struct exchange *exchange);
void patch_workspace(struct exchange *exchange);
void delete_workspace(struct exchange *exchange);
/* endpoint_files.c */
void get_files(struct exchange *exchange);
void get_file(struct exchange *exchange);
void put_file(struct exchange *exchange);
void delete_file(struct exchange *exchange);
/* endpoint_services.c */
void get_service_types(struct exchange *exchange);
void get_services(struct exchange *exchange);
void post_services(struct exchange *exchange);
void get_service(struct exchange *exchange);
void patch_service(struct exchange *exchange);
void delete_service(struct exchange *exchange);
void get_service_logs(struct exchange *exchange);
/* endpoint_maps.c: what services show, to whoever knows their URLs */
void get_service_tile(struct exchange *exchange);
void get_service_legend(struct exchange *exchange);
/* endpoint_ogc.c: the same by the OGC's protocols */
void get_service_wmts(struct exchange *exchange);
void get_service_wmts_capabilities(struct exchange *exchange);
void get_service_wmts_tile(struct exchange *exchange);
void get_service_wms(struct exchange *exchange);
void get_service_wcs(struct exchange *exchange);
void get_coverage_landing(struct exchange *exchange);
void get_coverage_conformance(struct exchange *exchange);
void get_coverage_collections(struct exchange *exchange);
void get_coverage_collection(struct exchange *exchange);
void get_coverage_schema(struct exchange *exchange);
void get_coverage(struct exchange *exchange);
void get_coverage_domain(struct exchange *exchange);
void get_coverage_range(struct exchange *exchange);
/* server/pages/pages.c: for people */
void get_console(struct exchange *exchange);
void get_page_file(struct exchange *exchange);
void get_editor(struct exchange *exchange);
void get_editor_file(struct exchange *exchange);
void get_editor_part(struct exchange *exchange);

#endif
