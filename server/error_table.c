#include "server/error_table.h"

#include <stdio.h>

unsigned error_status(const char *code)
{
  enum error_code known = error_code_find(code);
  return error_code_status(known == ERROR_NONE ? ERROR_Internal : known);
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
