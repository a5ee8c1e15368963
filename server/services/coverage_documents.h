/* What coverage services say about their one coverage, named MAP_LAYER: JSON of the OGC API, XML of WCS. */
#ifndef TWINCUBE_SERVER_SERVICES_COVERAGE_DOCUMENTS_H
#define TWINCUBE_SERVER_SERVICES_COVERAGE_DOCUMENTS_H

#include "server/services/ogc_documents.h"

/* OGC API - Common (19-072) and Coverages (19-087). */
void coverage_landing(const struct ogc_document *document);
void coverage_conformance(const struct ogc_document *document);
void coverage_collections(const struct ogc_document *document);
void coverage_collection(const struct ogc_document *document);
void coverage_schema(const struct ogc_document *document);
void coverage_domain(const struct ogc_document *document);
void coverage_range(const struct ogc_document *document);

/* WCS 2.0.1 (09-110r4). */
void wcs_capabilities(const struct ogc_document *document);
void wcs_description(const struct ogc_document *document);

/* ---- what both need: of a service's description */
const json_t *coverage_cube(const struct ogc_document *document);
/* Names of the bands; a new array, with MAP_PART_VALUE alone where there are none. */
json_t *coverage_fields(const struct ogc_document *document);
const char *coverage_unit(const struct ogc_document *document, size_t field); /* UCUM or UDUNITS; "1" where unknown */
/* "float32" … of the files' numbers; *nodata: their mark of missing ones, or NULL. */
const char *coverage_type(const struct ogc_document *document, const json_t **nodata);

#endif
