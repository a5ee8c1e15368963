# cmake -D OUTPUT=file.c -D "INPUTS=file;…" -P embed_text.cmake: each file as a C string, name.cu as name_cu.
set(text "/* made from .cu files */\n")
foreach(input ${INPUTS})
  get_filename_component(symbol ${input} NAME_WE)
  file(READ ${input} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND text "extern const char ${symbol}_cu[];\nconst char ${symbol}_cu[] = {${bytes}0};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
