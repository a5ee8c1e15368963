# cmake -D NM=… -D OBJDUMP=… -D "LIBRARIES=libx.so;liby.so" -D "ARCHIVES=a;b" -D OUTPUT=stubs.S -P stubs.cmake
#
# Functions of shared libraries that the archives call, as jumps through slots: a slot leads to lazy_first at first,
# which loads the library and fills the slot (lazy_library.c). Of two libraries with one function the first has it. For
# x86-64.
execute_process(COMMAND ${NM} -u ${ARCHIVES} OUTPUT_VARIABLE wanted COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " U [A-Za-z0-9_]+" wanted "${wanted}")
string(REPLACE " U " "" wanted "${wanted}")
list(REMOVE_DUPLICATES wanted)
list(SORT wanted)

set(functions)
set(slots)
set(texts)
set(sonames)
set(index 0)
foreach(library ${LIBRARIES})
  execute_process(COMMAND ${OBJDUMP} -p ${library} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
  if(NOT headers MATCHES "SONAME +([^\n ]+)")
    message(FATAL_ERROR "${library} has no SONAME")
  endif()
  set(soname ${CMAKE_MATCH_1})
  execute_process(COMMAND ${NM} -D --defined-only --without-symbol-versions ${library} OUTPUT_VARIABLE given
                  COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND sonames "  .asciz \"${soname}\"\n")
  set(others)
  foreach(name ${wanted})
    if(given MATCHES " [TW] ${name}\n") # neither data, nor what other libraries define too
      string(APPEND functions "function ${name} ${index}\n")
      string(APPEND slots "slot_${index}: .quad first_${index}\n")
      string(APPEND texts "  .asciz \"${name}\"\n")
      math(EXPR index "${index} + 1")
    else()
      list(APPEND others ${name})
    endif()
  endforeach()
  set(wanted ${others})
  string(APPEND ends "  .quad ${index}\n")
endforeach()
file(WRITE ${OUTPUT} "\
.macro function name index
.globl \\name
.type \\name, @function
\\name:
  endbr64
  jmp *slot_\\index(%rip)
first_\\index:
  push $\\index
  jmp lazy_first
.endm

.text
${functions}
# The slot's number is on the stack. Keeps what carries arguments, and goes on with the function.
lazy_first:
  push %rax
  push %rdi
  push %rsi
  push %rdx
  push %rcx
  push %r8
  push %r9
  sub $136, %rsp
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
  mov 192(%rsp), %rdi
  call lazy_library_function
  mov %rax, %r11
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  add $136, %rsp
  pop %r9
  pop %r8
  pop %rcx
  pop %rdx
  pop %rsi
  pop %rdi
  pop %rax
  add $8, %rsp
  jmp *%r11

.data
.balign 8
.globl lazy_library_slots
lazy_library_slots:
${slots}
.section .rodata
.balign 8
.globl lazy_library_ends
lazy_library_ends:
${ends}
.globl lazy_library_sonames
lazy_library_sonames:
${sonames}
.globl lazy_library_names
lazy_library_names:
${texts}
.section .note.GNU-stack, \"\", @progbits
")
