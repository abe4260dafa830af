# What the core libraries link. Read by this project and by whoever uses its package.
# Order matters: LibTorch ships headers of its own Protobuf, so ours is found first and Torch's folders come last (-idirafter).
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(sndfile IMPORTED_TARGET sndfile)
pkg_check_modules(soxr IMPORTED_TARGET soxr)
pkg_check_modules(png IMPORTED_TARGET libpng)
pkg_check_modules(snappy IMPORTED_TARGET snappy)
pkg_check_modules(zlib IMPORTED_TARGET zlib)
