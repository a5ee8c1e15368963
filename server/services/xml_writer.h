/* XML into a buffer: elements, attributes, escaped texts. Failures are the buffer's. */
#ifndef TWINCUBE_SERVER_SERVICES_XML_WRITER_H
#define TWINCUBE_SERVER_SERVICES_XML_WRITER_H

#include "datacube/base/buffer.h"

/* "<name attributes>"; `attributes` are written as they are, or NULL. */
void xml_open(struct buffer *out, const char *name, const char *attributes);
void xml_close(struct buffer *out, const char *name);
/* "<name attributes/>" */
void xml_empty(struct buffer *out, const char *name, const char *attributes);
/* Text between tags or in quotes. NULL is nothing. */
void xml_text(struct buffer *out, const char *text);
/* "<name>text</name>"; the text is a format's, escaped. */
void xml_element(struct buffer *out, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* " name=\"value\"", the value escaped. */
void xml_attribute(struct buffer *out, const char *name, const char *value);

#endif
