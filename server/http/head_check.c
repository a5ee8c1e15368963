/* Line by line, each time from the start: a head is short, and mostly comes at once. RFC 9112, sections 2 to 6, 11.2.
 */
#include "server/http/head_check.h"

#include <string.h>
#include <strings.h>

struct head_reader {
  const char *bytes;
  size_t size, at;
  struct request_head *head;
  struct head_fault *fault;
  bool is_old; /* HTTP/1.0 */
  bool has_length, has_coding;
  unsigned fields;
};

struct text {
  const char *start;
  size_t size;
};

static enum head_state bad(struct head_reader *reader, enum error_code code, const char *reason)
{
  *reader->fault = (struct head_fault){code, reason};
  return HEAD_BAD;
}

static enum head_state malformed(struct head_reader *reader, const char *reason)
{
  return bad(reader, ERROR_RequestMalformed, reason);
}

/* ---- characters ---- */

static bool is_token(const char *text, size_t size)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\0' || strchr(letters, text[i]) == NULL)
      return false;
  return size > 0;
}

/* No control byte but tabs. */
static bool is_printable(const char *text, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
      return false;
  return true;
}

static bool is_authority(struct text text)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]";
  for (size_t i = 0; i < text.size; i++)
    if (text.start[i] == '\0' || strchr(letters, text.start[i]) == NULL)
      return false;
  return text.size < 256;
}

static bool is_word(struct text text, const char *word)
{
  return text.size == strlen(word) && strncasecmp(text.start, word, text.size) == 0;
}

static unsigned count_of(struct text text, char wanted)
{
  unsigned count = 0;
  for (size_t i = 0; i < text.size; i++)
    count += text.start[i] == wanted;
  return count;
}

/* ---- lines ---- */

/* The next line, without its end. A line that is still to end is looked at, too: what is no text is refused at once. */
static enum head_state next_line(struct head_reader *reader, struct text *line)
{
  const char *start = reader->bytes + reader->at;
  const size_t left = reader->size - reader->at;
  const char *end = left > 0 ? memchr(start, '\n', left) : NULL;
  const size_t size = end != NULL ? (size_t)(end - start) : left;
  const bool has_return = size > 0 && start[size - 1] == '\r';
  if (!is_printable(start, size - has_return))
    return malformed(reader, "the head has control bytes");
  if (end == NULL)
    return HEAD_PARTIAL;
  if (!has_return)
    return malformed(reader, "a line of the head ends without a carriage return");
  *line = (struct text){start, size - 1};
  reader->at += size + 1;
  return HEAD_WHOLE;
}

static enum head_state read_version(struct head_reader *reader, struct text version)
{
  if (version.size != 8 || memcmp(version.start, "HTTP/", 5) != 0 || version.start[5] < '0' || version.start[5] > '9' ||
      version.start[6] != '.' || version.start[7] < '0' || version.start[7] > '9')
    return malformed(reader, "the first line does not end with HTTP/1.1");
  if (version.start[5] != '1' || version.start[7] > '1')
    return bad(reader, ERROR_VersionUnsupported, "HTTP/1.1 and HTTP/1.0 are spoken here");
  reader->is_old = version.start[7] == '0';
  return HEAD_WHOLE;
}

/* "/path", "http://host/path", or "*" of OPTIONS. */
static enum head_state read_target(struct head_reader *reader, struct text method, struct text target)
{
  struct text path = target;
  const size_t scheme = target.size >= 7 && strncasecmp(target.start, "http://", 7) == 0    ? 7
                        : target.size >= 8 && strncasecmp(target.start, "https://", 8) == 0 ? 8
                                                                                            : 0;
  if (scheme > 0) {
    path.start += scheme;
    path.size -= scheme;
    struct text authority = {path.start, 0};
    while (authority.size < path.size && strchr("/?#", path.start[authority.size]) == NULL)
      authority.size++;
    if (authority.size == 0 || !is_authority(authority))
      return malformed(reader, "the address has no host that could be one");
    path.start += authority.size;
    path.size -= authority.size;
    reader->head->authority = (struct head_span){(size_t)(authority.start - reader->bytes), authority.size};
  } else if (target.start[0] != '/' && !(is_word(target, "*") && is_word(method, "OPTIONS"))) {
    return malformed(reader, "the address is neither a path nor one of HTTP");
  }
  reader->fields += count_of(path, '&') + 1;
  reader->head->path = (struct head_span){(size_t)(path.start - reader->bytes), path.size};
  return HEAD_WHOLE;
}

static enum head_state read_request_line(struct head_reader *reader)
{
  struct text line;
  enum head_state state = next_line(reader, &line);
  if (state != HEAD_WHOLE)
    return state;
  reader->head->line_size = reader->at;
  const char *first = memchr(line.start, ' ', line.size), *end = line.start + line.size;
  const char *second = first != NULL ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
  if (second == NULL || second == first + 1)
    return malformed(reader, "the first line is not METHOD, address and version with a blank between them");
  const struct text method = {line.start, (size_t)(first - line.start)};
  const struct text target = {first + 1, (size_t)(second - first - 1)};
  reader->head->method_size = method.size;
  if (!is_token(method.start, method.size))
    return malformed(reader, "the method is no word");
  if (memchr(target.start, '\t', target.size) != NULL)
    return malformed(reader, "the address has control bytes");
  state = read_version(reader, (struct text){second + 1, (size_t)(end - second - 1)});
  return state == HEAD_WHOLE ? read_target(reader, method, target) : state;
}

/* ---- fields ---- */

static enum head_state read_host(struct head_reader *reader, struct text line, struct text value)
{
  if (reader->head->host.size > 0)
    return malformed(reader, "Host is given twice");
  if (!is_authority(value))
    return malformed(reader, "Host is none");
  reader->head->host = (struct head_span){(size_t)(line.start - reader->bytes), line.size + 2};
  return HEAD_WHOLE;
}

static enum head_state read_length(struct head_reader *reader, struct text value)
{
  if (reader->has_length)
    return malformed(reader, "Content-Length is given twice");
  reader->has_length = true;
  uint64_t size = 0;
  for (size_t i = 0; i < value.size; i++) {
    if (value.start[i] < '0' || value.start[i] > '9')
      return malformed(reader, "Content-Length is no number");
    if (size > UINT64_C(100000000000000000))
      return bad(reader, ERROR_ContentTooLarge, "Content-Length is past every limit");
    size = size * 10 + (uint64_t)(value.start[i] - '0');
  }
  reader->head->body_size = size;
  return value.size > 0 ? HEAD_WHOLE : malformed(reader, "Content-Length is no number");
}

static enum head_state read_coding(struct head_reader *reader, struct text value)
{
  if (reader->has_coding)
    return malformed(reader, "Transfer-Encoding is given twice");
  if (reader->is_old)
    return malformed(reader, "HTTP/1.0 has no Transfer-Encoding");
  if (!is_word(value, "chunked"))
    return bad(reader, ERROR_FeatureUnsupported, "of all codings of Transfer-Encoding only chunked is read");
  reader->has_coding = true;
  reader->head->is_chunked = true;
  return HEAD_WHOLE;
}

/* "name: value" without blanks around the value. */
static bool split_field(struct text line, struct text *name, struct text *value)
{
  const char *colon = memchr(line.start, ':', line.size), *end = line.start + line.size;
  if (colon == NULL || !is_token(line.start, (size_t)(colon - line.start)))
    return false;
  *name = (struct text){line.start, (size_t)(colon - line.start)};
  const char *start = colon + 1;
  while (start < end && (*start == ' ' || *start == '\t'))
    start++;
  while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  *value = (struct text){start, (size_t)(end - start)};
  return true;
}

bool head_field_is_sound(const char *line, size_t size)
{
  struct text name, value;
  return is_printable(line, size) && split_field((struct text){line, size}, &name, &value);
}

static enum head_state read_field(struct head_reader *reader, struct text line)
{
  struct text name, value;
  if (line.start[0] == ' ' || line.start[0] == '\t')
    return malformed(reader, "a field goes on in the next line");
  if (!split_field(line, &name, &value))
    return malformed(reader, "a field of the head is not \"name: value\"");
  reader->fields += 1 + (is_word(name, "Cookie") ? count_of(value, ';') + 1 : 0);
  if (is_word(name, "Host"))
    return read_host(reader, line, value);
  if (is_word(name, "Content-Length"))
    return read_length(reader, value);
  if (is_word(name, "Transfer-Encoding"))
    return read_coding(reader, value);
  return HEAD_WHOLE;
}

static enum head_state read_fields(struct head_reader *reader)
{
  for (;;) {
    struct text line;
    enum head_state state = next_line(reader, &line);
    if (state == HEAD_WHOLE && line.size == 0)
      return HEAD_WHOLE;
    if (state == HEAD_WHOLE)
      state = read_field(reader, line);
    if (state != HEAD_WHOLE)
      return state;
  }
}

/* What fields say together. */
static enum head_state check_whole(struct head_reader *reader)
{
  if (reader->fields > HEAD_FIELDS_MOST)
    return bad(reader, ERROR_RequestHeadTooLarge, "the head has too many fields, arguments or cookies");
  if (reader->has_coding && reader->has_length)
    return malformed(reader, "both Content-Length and Transfer-Encoding are given");
  if (!reader->is_old && reader->head->host.size == 0)
    return malformed(reader, "Host is missing");
  return HEAD_WHOLE;
}

enum head_state head_check(const char *bytes, size_t size, struct request_head *head, struct head_fault *fault)
{
  *head = (struct request_head){0};
  struct head_reader reader = {
      .bytes = bytes, .size = size < HEAD_MOST ? size : HEAD_MOST, .head = head, .fault = fault};
  enum head_state state = read_request_line(&reader);
  if (state == HEAD_WHOLE)
    state = read_fields(&reader);
  if (state == HEAD_WHOLE)
    state = check_whole(&reader);
  if (state == HEAD_PARTIAL && size >= HEAD_MOST)
    return head->line_size == 0 ? bad(&reader, ERROR_RequestLineTooLong, "the address is too long")
                                : bad(&reader, ERROR_RequestHeadTooLarge, "the head is longer than 32 kB");
  head->size = reader.at;
  return state;
}
