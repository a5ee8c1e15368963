/* Fuzzing the reader of configuration files: it refuses with a line of the text, or gives an object. */
#include "server/config/toml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct toml toml;
  struct error error = {0};
  long lines = 1;
  for (size_t i = 0; i < size; i++)
    lines += data[i] == '\n';
  if (toml_parse("f", (const char *)data, size, &toml, &error) == 0) {
    const char *place;
    json_t *line;
    json_object_foreach(toml.lines, place, line) if (json_integer_value(line) < 1 || json_integer_value(line) > lines ||
                                                     toml_line(&toml, place) != json_integer_value(line)) abort();
    if (!json_is_object(toml.values))
      abort();
    toml_free(&toml);
  } else if (strncmp(error.message, "f:", 2) != 0 || strtol(error.message + 2, NULL, 10) < 1 ||
             strtol(error.message + 2, NULL, 10) > lines) {
    abort();
  }
  return 0;
}
