# The module flightos._fos: cffi API mode, the stable ABI of CPython 3.11.
#
# Where Python.h is missing nothing is built, and the build says so: the NumPy references then serve.
find_package(Python REQUIRED COMPONENTS Interpreter)
if(CMAKE_CROSSCOMPILING OR FOS_TARGET_PYTHON_INCLUDE)
    # Named by hand: this interpreter would name the headers of the building machine.
    set(FOS_PYTHON_INCLUDE ${FOS_TARGET_PYTHON_INCLUDE})
else()
    # Asked of the interpreter itself: find_package fails as a whole where only the headers are missing.
    execute_process(
        COMMAND ${Python_EXECUTABLE} -c
                "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_path('platinclude'), sep=';', end='')"
        OUTPUT_VARIABLE FOS_PYTHON_INCLUDE COMMAND_ERROR_IS_FATAL ANY)
endif()

set(FOS_PYTHON_H_FOUND FALSE)
foreach(folder IN LISTS FOS_PYTHON_INCLUDE)
    if(EXISTS "${folder}/Python.h")
        set(FOS_PYTHON_H_FOUND TRUE)
    endif()
endforeach()

if(NOT FOS_PYTHON_H_FOUND)
    message(WARNING
        "Python.h was not found, so the C kernels (flightos._fos) are NOT built. flightos still installs: the slower "
        "NumPy references serve, with the same results. Install python3-dev and install again to get the C kernels.")
    return()
endif()

set(FOS_MODULE_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/_fos.c)
add_custom_command(
    OUTPUT ${FOS_MODULE_SOURCE}
    COMMAND ${Python_EXECUTABLE} -m cffi.gen_src read-sources flightos._fos
            ${CMAKE_CURRENT_SOURCE_DIR}/cffi/kernels.cdef.h ${CMAKE_CURRENT_SOURCE_DIR}/cffi/kernels.csrc.c
            ${FOS_MODULE_SOURCE}
    DEPENDS cffi/kernels.cdef.h cffi/kernels.csrc.c include/flightos_kernels.h
    VERBATIM)
add_library(_fos MODULE ${FOS_MODULE_SOURCE})
target_compile_definitions(_fos PRIVATE Py_LIMITED_API=0x030b0000)
target_include_directories(_fos PRIVATE ${FOS_PYTHON_INCLUDE})
# cffi's generated code is not ours to warn about.
target_compile_options(_fos PRIVATE -w)
target_link_libraries(_fos PRIVATE fosk)
set_target_properties(_fos PROPERTIES PREFIX "" SUFFIX ".abi3.so")
install(TARGETS _fos LIBRARY DESTINATION flightos)
