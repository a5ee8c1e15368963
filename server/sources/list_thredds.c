/* The files of a THREDDS catalogue (InvCatalog 1.0) and of those it refers to: datasets that a service of type
 * HTTPServer gives, which serves files as they are, by ranges. Where there is no such for a dataset (aggregations are
 * no file, and some hosts serve none), OPeNDAP gives its values; other services (WMS) give pictures. */
#include "server/sources/source_kind.h"
#include "server/sources/xml_tree.h"

#include "datacube/dap/dap_address.h"
#include "stac/href.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct catalogue_walk_step {
  const char *address;
  unsigned depth;
  struct catalogue_walk_step *next;
};

struct thredds_walk {
  struct source_session *session;
  struct source_listing *listing;
  json_t *seen;                      /* addresses of catalogues */
  struct catalogue_walk_step *first; /* still to be read */
  size_t datasets;                   /* with a path that no service gives */
};

struct thredds_document {
  struct thredds_walk *walk;
  const struct xml_element *root;
  const char *address; /* where it was found in the end */
  unsigned depth;
};

/* ---- services ---------------------------------------------------------------------------------------------------- */

enum gives { GIVES_FILES, GIVES_VALUES };

static bool does_give(const struct xml_element *service, enum gives what)
{
  static const char *const types[][2] = {[GIVES_FILES] = {"HTTPServer", "HTTP"}, [GIVES_VALUES] = {"OPENDAP", "DODS"}};
  const char *type = xml_value(service, "serviceType");
  return type && (strcasecmp(type, types[what][0]) == 0 || strcasecmp(type, types[what][1]) == 0);
}

/* The first service that gives that, in the element or below it; `name`: in the service of that name. NULL: none. */
static const struct xml_element *find_service(const struct xml_element *parent, const char *name, enum gives what)
{
  for (const struct xml_element *at = xml_child(parent, "service"); at; at = xml_further(at, "service")) {
    const char *own = xml_value(at, "name");
    const bool is_named = !name || (own && strcmp(own, name) == 0);
    if (is_named && does_give(at, what))
      return at;
    const struct xml_element *below = find_service(at, is_named ? NULL : name, what);
    if (below)
      return below;
  }
  return NULL;
}

/* A dataset's own word, else that of the nearest one around it. */
static const char *service_name(const struct xml_element *dataset)
{
  for (const struct xml_element *at = dataset; at; at = at->parent) {
    const char *name = xml_value(at, "serviceName");
    if (!name)
      name = xml_child_text(at, "serviceName");
    for (const struct xml_element *more = xml_child(at, "metadata"); more && !name;
         more = xml_further(more, "metadata"))
      name = xml_child_text(more, "serviceName");
    if (name)
      return name;
  }
  return NULL;
}

/* ---- datasets ---------------------------------------------------------------------------------------------------- */

/* "dataSize" has units, as people write them: what changes when the file does, not a number of bytes. */
static const char *stamp_of(struct arena *arena, const struct xml_element *dataset)
{
  const char *size = xml_child_text(dataset, "dataSize"), *date = NULL;
  for (const struct xml_element *at = xml_child(dataset, "date"); at; at = xml_further(at, "date")) {
    const char *type = xml_value(at, "type");
    date = type && strcmp(type, "modified") == 0 ? at->text : date;
  }
  return size || date ? arena_printf(arena, "%s %s", size ? size : "", date ? date : "") : NULL;
}

/* How a dataset is had. */
struct dataset_access {
  const struct xml_element *service; /* NULL: not in that way */
  const char *path;
};

static int add_dataset(const struct thredds_document *d, const struct xml_element *dataset,
                       const struct dataset_access *access, enum gives what, struct error *error)
{
  struct arena *arena = d->walk->session->arena;
  const char *base = xml_value(access->service, "base");
  const char *joined = base ? arena_printf(arena, "%s%s", base, access->path) : NULL;
  struct listed_file file = {.name = access->path,
                             .address = joined ? href_resolve(arena, d->address, joined) : NULL,
                             .stamp = stamp_of(arena, dataset)};
  if (what == GIVES_VALUES && file.address) {
    file.name = opendap_name(arena, access->path);
    if (dap_address(arena, file.address, &file.address, error) != 0)
      return -1;
  }
  return source_listing_add(d->walk->listing, &file, error);
}

/* By one of the dataset's own ways, else by the service that is named for it, else by any. */
static struct dataset_access find_access(const struct thredds_document *d, const struct xml_element *dataset,
                                         enum gives what)
{
  struct dataset_access out = {.path = xml_value(dataset, "urlPath")};
  const char *name = service_name(dataset);
  for (const struct xml_element *at = xml_child(dataset, "access"); at && !out.service;
       at = xml_further(at, "access")) {
    const char *own = xml_value(at, "serviceName");
    out.service = own ? find_service(d->root, own, what) : NULL;
    out.path = out.service && xml_value(at, "urlPath") ? xml_value(at, "urlPath") : out.path;
  }
  if (!out.service && name)
    out.service = find_service(d->root, name, what);
  if (!out.service)
    out.service = find_service(d->root, NULL, what);
  return out;
}

static int take_dataset(const struct thredds_document *d, const struct xml_element *dataset, struct error *error)
{
  bool has_path = false;
  for (enum gives what = GIVES_FILES; what <= GIVES_VALUES; what++) {
    const struct dataset_access access = find_access(d, dataset, what);
    if (access.path && access.service)
      return add_dataset(d, dataset, &access, what, error);
    has_path = has_path || access.path;
  }
  d->walk->datasets += has_path;
  return 0;
}

static int push(struct thredds_walk *walk, const char *address, unsigned depth, struct error *error)
{
  struct catalogue_walk_step *step = ARENA_NEW(walk->session->arena, struct catalogue_walk_step);
  if (!step)
    return error_memory(error);
  *step = (struct catalogue_walk_step){address, depth, walk->first};
  walk->first = step;
  return 0;
}

static int take_reference(const struct thredds_document *d, const struct xml_element *reference, struct error *error)
{
  const char *href = xml_value(reference, "href");
  const char *address = href && *href ? href_resolve(d->walk->session->arena, d->address, href) : NULL;
  return address ? push(d->walk, address, d->depth + 1, error) : 0;
}

static int take_children(const struct thredds_document *d, const struct xml_element *parent, struct error *error)
{
  for (const struct xml_element *at = parent->first; at; at = at->next) {
    int status = 0;
    if (strcmp(at->name, "catalogRef") == 0)
      status = take_reference(d, at, error);
    else if (strcmp(at->name, "dataset") == 0)
      status = take_dataset(d, at, error) == 0 ? take_children(d, at, error) : -1;
    if (status != 0)
      return -1;
  }
  return 0;
}

/* ---- catalogues -------------------------------------------------------------------------------------------------- */

static int take_answer(struct thredds_walk *walk, const struct source_answer *answer, unsigned depth,
                       struct error *error)
{
  struct arena *arena = arena_new(0);
  struct thredds_document d = {
      .walk = walk, .depth = depth, .address = arena_strdup(walk->session->arena, answer->url)};
  int status = arena && d.address ? 0 : error_memory(error);
  if (status == 0 &&
      !(d.root = xml_parse(arena, answer->body.data ? answer->body.data : "", answer->body.length, error)))
    status = -1;
  if (status == 0 && strcmp(d.root->name, "catalog") != 0)
    status = error_set(error, ERROR_FileContentInvalid, "%.200s is no THREDDS catalogue", d.address);
  if (status == 0)
    status = take_children(&d, d.root, error);
  arena_free(arena);
  return status;
}

/* Each catalogue is read once, however many lead to it: circles end. Pages for people have the catalogue beside them,
 * under the same name. */
static int read_catalogue(struct thredds_walk *walk, const struct catalogue_walk_step *step, struct error *error)
{
  const size_t length = strcspn(step->address, "?#");
  const char *address = step->address;
  struct source_answer answer;
  if (length > 5 && strncmp(address + length - 5, ".html", 5) == 0)
    address = arena_printf(walk->session->arena, "%.*s.xml%s", (int)length - 5, address, address + length);
  if (!address)
    return error_memory(error);
  if (json_object_get(walk->seen, address))
    return 0;
  if (step->depth > SOURCE_DEPTH_MOST)
    return error_set(error, ERROR_ProcessGraphComplexity, "%.200s: more than %d catalogues in each other", address,
                     (int)SOURCE_DEPTH_MOST);
  if (json_object_set_new(walk->seen, address, json_true()) != 0)
    return error_set(error, ERROR_FileContentInvalid, "a reference to a catalogue is no UTF-8");
  if (source_ask(walk->session, &(struct source_question){.url = address}, &answer, error) != 0)
    return -1;
  const int status = take_answer(walk, &answer, step->depth, error);
  source_answer_free(&answer);
  return status;
}

int list_thredds(struct source_session *session, const char *address, struct source_listing *listing,
                 struct error *error)
{
  struct thredds_walk walk = {.session = session, .listing = listing, .seen = json_object()};
  int status = walk.seen ? push(&walk, address, 0, error) : error_memory(error);
  while (status == 0 && walk.first) {
    const struct catalogue_walk_step step = *walk.first;
    walk.first = walk.first->next;
    status = read_catalogue(&walk, &step, error);
  }
  json_decref(walk.seen);
  if (status == 0 && listing->count == 0 && walk.datasets > 0)
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%.200s: none of its %zu datasets is given as a file or by OPeNDAP (services HTTPServer, "
                           "OPENDAP)",
                           address, walk.datasets);
  return status;
}
