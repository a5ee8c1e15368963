#include "server/web/web_guard.h"

/* The address is resolved by now, and nothing resolves it again. */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
  struct web_guard *guard = data;
  const enum web_reach least = web_address_reach(&address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN || least == WEB_NOWHERE || least > guard->reach) {
    web_address_text(&address->addr, guard->refused);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void web_guard_set(struct web_guard *guard, CURL *curl)
{
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  if (guard->reach == WEB_PUBLIC)
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, guard);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)WEB_CONNECT_MS);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "twincube/" TWINCUBE_VERSION);
}
