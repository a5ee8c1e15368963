/* The files below a folder of WebDAV (RFC 4918): PROPFIND of depth 1, folder by folder, as servers of storage want it,
 * who refuse to tell all at once. What lies above the folder, or elsewhere, is not followed. */
#include "server/sources/source_kind.h"
#include "server/sources/xml_tree.h"

#include "stac/href.h"

#include <stdlib.h>
#include <string.h>

static const char question_text[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/><getcontentlength/>"
    "<getetag/><getlastmodified/></prop></propfind>";

struct folder_walk {
  struct source_session *session;
  struct source_listing *listing;
  const char *root; /* address, ending in a slash */
  struct to_do {    /* folders that are still to be asked, the latest first */
    const char *address;
    unsigned depth;
    struct to_do *next;
  } * first;
};

/* The properties that were found. */
static const struct xml_element *found_properties(const struct xml_element *response)
{
  const struct xml_element *part = xml_child(response, "propstat");
  for (; part; part = xml_further(part, "propstat")) {
    const char *status = xml_child_text(part, "status");
    if (!status || strstr(status, " 200"))
      return xml_child(part, "prop");
  }
  return NULL;
}

static int push(struct folder_walk *walk, const char *address, unsigned depth, struct error *error)
{
  struct to_do *row = ARENA_NEW(walk->session->arena, struct to_do);
  if (!row)
    return error_memory(error);
  *row = (struct to_do){address, depth, walk->first};
  walk->first = row;
  return 0;
}

static const char *with_slash(struct arena *arena, const char *address)
{
  const size_t length = strlen(address);
  return length > 0 && address[length - 1] == '/' ? address : arena_printf(arena, "%s/", address);
}

/* What an address has beyond that of a folder, decoded; NULL: it does not begin like it. Servers escape what they need
 * not, and each in its own way. */
static const char *behind(struct arena *arena, const char *folder, const char *address)
{
  const char *above = href_decoded(arena, folder), *whole = href_decoded(arena, address);
  const size_t length = above ? strlen(above) : 0;
  return above && whole && strncmp(whole, above, length) == 0 ? whole + length : NULL;
}

static int take_file(struct folder_walk *walk, const char *address, const struct xml_element *properties,
                     struct error *error)
{
  const char *size = xml_child_text(properties, "getcontentlength"), *etag = xml_child_text(properties, "getetag");
  const char *name = behind(walk->session->arena, walk->root, address);
  const struct listed_file file = {.name = name,
                                   .address = address,
                                   .stamp = etag && *etag ? etag : xml_child_text(properties, "getlastmodified"),
                                   .size = size ? strtoull(size, NULL, 10) : 0};
  return source_listing_add(walk->listing, &file, error);
}

/* A folder's own row, and whatever is not one step below it, leads nowhere: so the walk ends. */
static int take_response(struct folder_walk *walk, const struct to_do *folder, const struct xml_element *response,
                         struct error *error)
{
  struct arena *arena = walk->session->arena;
  const char *href = xml_child_text(response, "href");
  const struct xml_element *properties = found_properties(response);
  const bool is_folder = xml_child(xml_child(properties, "resourcetype"), "collection") != NULL;
  const char *address = href && *href ? href_resolve(arena, folder->address, href) : NULL;
  if (!address || !properties)
    return 0;
  if (is_folder && !(address = with_slash(arena, address)))
    return error_memory(error);
  const char *rest = behind(arena, folder->address, address), *slash = rest ? strchr(rest, '/') : NULL;
  if (!rest)
    return 0;
  if (*rest == '\0' || *rest == '.' || (slash && slash[1] != '\0'))
    return 0;
  return is_folder ? push(walk, address, folder->depth + 1, error) : take_file(walk, address, properties, error);
}

static int take_answer(struct folder_walk *walk, struct to_do folder, const struct source_answer *answer,
                       struct arena *arena, struct error *error)
{
  const struct xml_element *all =
      xml_parse(arena, answer->body.data ? answer->body.data : "", answer->body.length, error);
  if (!all)
    return -1;
  if (strcmp(all->name, "multistatus") != 0)
    return error_set(error, ERROR_FileContentInvalid, "%.200s: the answer is none of WebDAV", folder.address);
  for (const struct xml_element *at = xml_child(all, "response"); at; at = xml_further(at, "response"))
    if (take_response(walk, &folder, at, error) != 0)
      return -1;
  return 0;
}

static int read_folder(struct folder_walk *walk, struct to_do folder, struct error *error)
{
  const struct source_question question = {.url = folder.address,
                                           .method = "PROPFIND",
                                           .body = question_text,
                                           .type = "application/xml; charset=utf-8",
                                           .depth = "1"};
  struct source_answer answer;
  if (folder.depth > SOURCE_DEPTH_MOST)
    return error_set(error, ERROR_ProcessGraphComplexity, "%.200s: more than %d folders in each other", walk->root,
                     (int)SOURCE_DEPTH_MOST);
  if (source_ask(walk->session, &question, &answer, error) != 0)
    return -1;
  const bool is_first = folder.address == walk->root;
  struct arena *arena = arena_new(0);
  folder.address = with_slash(walk->session->arena, answer.url); /* a redirect may have led there */
  if (is_first && folder.address)
    walk->root = folder.address = arena_strdup(walk->session->arena, folder.address);
  const int status = arena && folder.address ? take_answer(walk, folder, &answer, arena, error) : error_memory(error);
  arena_free(arena);
  source_answer_free(&answer);
  return status;
}

int list_webdav(struct source_session *session, const char *address, struct source_listing *listing,
                struct error *error)
{
  struct folder_walk walk = {.session = session, .listing = listing};
  const char *web = source_web_address(session->arena, address);
  walk.root = web ? with_slash(session->arena, web) : NULL;
  int status = walk.root ? push(&walk, walk.root, 0, error) : error_memory(error);
  while (status == 0 && walk.first) {
    const struct to_do folder = *walk.first;
    walk.first = walk.first->next;
    status = read_folder(&walk, folder, error);
  }
  return status;
}
