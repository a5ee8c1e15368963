# Writes files as one C table (page_files.h): cmake -DOUT=FILE "-DFILES=A;B" -P embed_pages.cmake
set(table "")
set(bodies "")
set(number 0)
foreach(path IN LISTS FILES)
  get_filename_component(name ${path} NAME)
  file(READ ${path} hex HEX)
  file(SHA256 ${path} hash)
  string(SUBSTRING ${hash} 0 20 tag)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND bodies "static const unsigned char file_${number}[] = {\n${hex}\n};\n")
  string(APPEND table "    {\"${name}\", file_${number}, sizeof file_${number}, \"${tag}\"},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}.new "#include \"server/pages/page_file.h\"\n\n${bodies}
const struct page_file page_files[] = {\n${table}};
const size_t page_file_count = ${number};\n")
file(RENAME ${OUT}.new ${OUT})
