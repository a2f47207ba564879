# Fails unless each kernel object exports exactly one symbol, its table: a second one could be an
# inline function that the linker then takes, in its AVX-512 version, for the whole program.
#   cmake -DNM=nm -DOBJECTS="a.o|b.o" -P check_symbols.cmake
string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
if(NOT OBJECTS)
  message(FATAL_ERROR "no kernel objects to check")
endif()
foreach(object IN LISTS OBJECTS)
  execute_process(
    COMMAND "${NM}" --defined-only --extern-only "${object}"
    OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" symbols "${output}")
  # what sanitizers add: no functions
  list(FILTER symbols EXCLUDE REGEX "__odr_asan|DW\\.ref\\.__gxx_personality")
  list(LENGTH symbols n_symbols)
  if(NOT n_symbols EQUAL 1)
    list(JOIN symbols "\n  " listed)
    message(SEND_ERROR "${object} exports ${n_symbols} symbols instead of 1:\n  ${listed}")
  endif()
endforeach()
