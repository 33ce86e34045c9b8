# tobit_room(<name> SOURCES <file>... [LINK <target>...] [CAF])
#   One static library per folder. Sources are listed by hand. CAF: the room's sources use CAF (other precompiled header).
# tobit_suites(<name> SUITES <file>... [LINK <target>...] [LABELS <label>...] [TIMEOUT <seconds>])
#   One test program; every file `foo_test.cpp` defines CAF_SUITE foo and becomes one CTest test `<name>.foo`.

add_library(tobit_flags INTERFACE)
target_compile_features(tobit_flags INTERFACE cxx_std_20)
target_include_directories(tobit_flags INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
target_compile_options(tobit_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fno-omit-frame-pointer)
if(TOBIT_WERROR)
  target_compile_options(tobit_flags INTERFACE -Werror)
endif()
if(TOBIT_SANITIZE)
  target_compile_options(tobit_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(tobit_flags INTERFACE -fsanitize=address,undefined)
endif()
# Definitions that change class layouts or select compiled libraries are the same in every translation unit.
target_compile_definitions(tobit_flags INTERFACE
  SPDLOG_COMPILED_LIB SPDLOG_SHARED_LIB SPDLOG_FMT_EXTERNAL FMT_SHARED
  CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT
  CAF_ENABLE_TYPE_ID_CHECKS)
target_link_libraries(tobit_flags INTERFACE Threads::Threads)

function(tobit_precompiled_header target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

if(TOBIT_PCH)
  file(WRITE "${PROJECT_BINARY_DIR}/pch/empty_plain.cpp" "")
  file(WRITE "${PROJECT_BINARY_DIR}/pch/empty_caf.cpp" "")
  set(tobit_pch_plain_headers <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view>
    <unordered_map> <variant> <vector> <nlohmann/json.hpp> <tl/expected.hpp> <spdlog/spdlog.h>)
  add_library(tobit_pch_plain OBJECT "${PROJECT_BINARY_DIR}/pch/empty_plain.cpp")
  target_link_libraries(tobit_pch_plain PRIVATE tobit_flags)
  target_precompile_headers(tobit_pch_plain PRIVATE ${tobit_pch_plain_headers})
  add_library(tobit_pch_caf OBJECT "${PROJECT_BINARY_DIR}/pch/empty_caf.cpp")
  target_link_libraries(tobit_pch_caf PRIVATE tobit_flags CAF::core)
  target_precompile_headers(tobit_pch_caf PRIVATE ${tobit_pch_plain_headers} <caf/all.hpp>)
endif()

function(tobit_use_pch target caf)
  if(NOT TOBIT_PCH)
    return()
  endif()
  if(caf)
    target_precompile_headers(${target} REUSE_FROM tobit_pch_caf)
  else()
    target_precompile_headers(${target} REUSE_FROM tobit_pch_plain)
  endif()
endfunction()

function(tobit_room name)
  cmake_parse_arguments(arg "CAF" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC tobit_flags ${arg_LINK})
  if(arg_CAF)
    target_link_libraries(${name} PUBLIC CAF::core)
  endif()
  tobit_use_pch(${name} "${arg_CAF}")
endfunction()

function(tobit_suites name)
  cmake_parse_arguments(arg "CAF" "TIMEOUT" "SUITES;LINK;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT AND "postgres" IN_LIST arg_LABELS)
    set(arg_TIMEOUT 240) # a schema per test, on a machine that may be busy
  elseif(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} $<TARGET_OBJECTS:tobit_test_main> ${arg_SUITES})
  target_link_libraries(${name} PRIVATE tobit_flags CAF::core ${arg_LINK})
  target_include_directories(${name} BEFORE PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/include") # mended checks
  if(TOBIT_PCH)
    target_precompile_headers(${name} REUSE_FROM tobit_pch_caf)
  endif()
  foreach(file ${arg_SUITES})
    get_filename_component(stem "${file}" NAME_WE)
    if(NOT stem MATCHES "_test$")
      continue()
    endif()
    string(REGEX REPLACE "_test$" "" suite "${stem}")
    # CAF's runner matches -s as a regular expression and exits 0 when nothing matched; the second pattern catches that.
    add_test(NAME ${name}.${suite} COMMAND ${name} -n -v4 -r${arg_TIMEOUT} -s "^${suite}$")
    math(EXPR ctest_timeout "${arg_TIMEOUT} + 30")
    set_tests_properties(${name}.${suite} PROPERTIES TIMEOUT ${ctest_timeout} LABELS "${arg_LABELS}"
      FAIL_REGULAR_EXPRESSION "tests: +0[^0-9]")
  endforeach()
endfunction()

# tobit_embed(<source> HEADER <header> NAMESPACE <name> FUNCTION <name> FILES <file>...)
#   Writes <source>, which defines `const std::vector<std::pair<std::string_view, std::string_view>>& FUNCTION()`: stem and
#   text of each file, in this order. The header declares it. So the program needs no files beside it.
function(tobit_embed source)
  cmake_parse_arguments(arg "" "HEADER;NAMESPACE;FUNCTION" "FILES" ${ARGN})
  set(content "#include \"${arg_HEADER}\"\n\nnamespace ${arg_NAMESPACE} {\n\nconst std::vector<std::pair<std::string_view, std::string_view>>& ${arg_FUNCTION}() {\n  static const std::vector<std::pair<std::string_view, std::string_view>> all{\n")
  foreach(file ${arg_FILES})
    get_filename_component(stem "${file}" NAME_WE)
    file(READ "${file}" text)
    string(APPEND content "    {\"${stem}\", R\"~~~(${text})~~~\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  endforeach()
  string(APPEND content "  };\n  return all;\n}\n\n} // namespace ${arg_NAMESPACE}\n")
  file(CONFIGURE OUTPUT "${source}" CONTENT "${content}" @ONLY)
endfunction()
