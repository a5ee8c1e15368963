/* GET / for browsers, /console and what they are made of, and a folder with a build of the openEO Web Editor.
 *
 * Our pages run scripts of this server alone (Content-Security-Policy). Whoever logs in through a provider exchanges
 * the code for a token there, so the console may reach providers, too. Browsers keep all files and ask by their tag
 * whether they have changed. */
#include "server/pages/pages.h"

#include "server/endpoints/endpoints.h"
#include "server/files/file_tree.h"
#include "server/http/reply_file.h"
#include "server/http/route_table.h"
#include "server/pages/accept.h"
#include "server/pages/page_file.h"

#include "datacube/base/rooted_path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: "
                                  "https:; connect-src 'self'%s; base-uri 'none'; form-action 'none'; "
                                  "frame-ancestors 'none'";
/* The editor makes styles, workers and functions as it runs, and talks to whichever server its user names. */
static const char editor_policy[] = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
                                    "worker-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
                                    "img-src * data: blob:; font-src 'self' data:; connect-src * data: blob:; "
                                    "frame-src *; object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

/* Where tokens come from: providers with certificates anywhere, others at the origin of their issuer. */
static void providers_origins(const struct exchange *exchange, char out[512])
{
  struct oidc *oidc = auth_oidc(exchange->server->auth);
  size_t used = (size_t)snprintf(out, 512, "%s", oidc != NULL ? " https:" : "");
  const char *issuer;
  for (size_t i = 0; oidc != NULL && (issuer = oidc_issuer(oidc, i)) != NULL; i++)
    if (strncmp(issuer, "http://", 7) == 0 && used < 400)
      used += (size_t)snprintf(out + used, 512 - used, " %.*s", (int)(7 + strcspn(issuer + 7, "/;, ")), issuer);
  oidc_stop(oidc);
}

static struct http_response *answer_file(const struct exchange *exchange, const struct page_file *file)
{
  const char *known = http_header(exchange->http, "If-None-Match");
  const bool is_known = known != NULL && tag_is_named(known, file->tag);
  struct http_response *response = http_response_new(is_known ? 304 : 200);
  if (response == NULL)
    return NULL;
  http_response_header(response, "ETag", "\"%s\"", file->tag);
  http_response_header(response, "Cache-Control", "no-cache");
  if (!is_known) {
    buffer_add(&response->body, file->bytes, file->size);
    snprintf(response->media_type, sizeof response->media_type, "%s", page_media_type(file->name));
  }
  return response;
}

static void reply_page(struct exchange *exchange, const char *name, const char *origins)
{
  struct http_response *response = answer_file(exchange, page_file_find(name));
  http_response_header(response, "Content-Security-Policy", page_policy, origins);
  http_response_header(response, "Referrer-Policy", "no-referrer");
  http_response_header(response, "Vary", "Accept");
  reply(exchange, response);
}

bool page_is_wanted(const struct exchange *exchange)
{
  return accept_prefers(http_header(exchange->http, "Accept"), "text/html", "application/json");
}

void page_reply_landing(struct exchange *exchange)
{
  reply_page(exchange, "landing.html", "");
}

void get_console(struct exchange *exchange)
{
  char origins[512];
  providers_origins(exchange, origins);
  reply_page(exchange, "console.html", origins);
}

void get_page_file(struct exchange *exchange)
{
  const struct page_file *file = page_file_find(exchange->parameters[0]);
  if (file == NULL)
    reply_code(exchange, ERROR_NotFound, "there is nothing at this path");
  else
    reply(exchange, answer_file(exchange, file));
}

/* ---- the Web Editor ---- */

/* A file below the editor's folder; links are not followed. */
static void reply_editor_file(struct exchange *exchange, const char *name)
{
  const char *folder = exchange->server->settings.web_editor;
  struct error error = {0};
  struct file_entry file = {0};
  char path[ROOTED_PATH_SIZE];
  int fd = -1, root = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  int status = root >= 0 ? rooted_path_read(name, path, &error) : -1;
  if (status == 0)
    status = file_tree_read(root, path, &fd, &file, &error);
  if (root >= 0)
    close(root);
  if (status != 0)
    reply_code(exchange, ERROR_NotFound, "there is nothing at this path");
  else
    reply_file(exchange, &(struct file_answer){.fd = fd,
                                               .size = file.size,
                                               .media_type = page_media_type(path),
                                               .tag = file.tag,
                                               .policy = editor_policy});
}

/* Its parts are named relative to the page: the address wants a slash at its end. */
void get_editor(struct exchange *exchange)
{
  const char *path = http_path(exchange->http);
  if (exchange->server->settings.web_editor == NULL || path[strlen(path) - 1] == '/') {
    reply_editor_file(exchange, "index.html");
    return;
  }
  char server[BASE_URL_SIZE];
  const bool has_server = http_query(exchange->http, "server", server, sizeof server) > 0;
  struct buffer query = {0};
  if (has_server)
    http_encode(server, &query);
  struct http_response *response = http_response_new(308);
  http_response_header(response, "Location", "%s/editor/%s%.700s", exchange->host, has_server ? "?server=" : "",
                       has_server && !query.failed ? query.data : "");
  buffer_free(&query);
  reply(exchange, response);
}

void get_editor_file(struct exchange *exchange)
{
  reply_editor_file(exchange, exchange->parameters[0]);
}

/* A build for the root of a host, which is what the editor's own instructions make, asks for its parts there. */
void get_editor_part(struct exchange *exchange)
{
  char name[PATH_PARAMETER_SIZE + 16];
  snprintf(name, sizeof name, "%.*s/%s", (int)strcspn(exchange->route->path + 1, "/"), exchange->route->path + 1,
           exchange->parameters[0]);
  reply_editor_file(exchange, name);
}
