# Builds for 64-bit ARM Linux with Debian's cross compiler; tests run under qemu's user emulation, no root, no binfmt.
#
# The environment variable QEMU_CPU chooses the processor: cortex-a76 is the generation of Jetson Orin's A78AE (NEON,
# CRC, dot product, no SVE), cortex-a72 that of older boards (NEON and CRC only). Unset, qemu emulates everything it can.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)

set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
