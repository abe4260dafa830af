# The package that `cmake --install` makes, for find_package(ddsp): the core libraries with their headers below include/ddsp
# (so that <core/dsp/oscillator.h> is found), and the programs. Each library becomes ddsp::NAME; ddsp::core is all of them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(DDSP_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ddsp)

# A library of core, or what core links.
function(ddsp_install_library name)
  string(REGEX REPLACE "^ddsp_" "" export_name ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name})
  target_include_directories(${name} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ddsp>)
  target_compile_features(${name} INTERFACE cxx_std_20)
  install(TARGETS ${name} EXPORT ddspTargets ARCHIVE COMPONENT core)
endfunction()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/core DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ddsp COMPONENT core FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${CMAKE_BINARY_DIR}/generated/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ddsp COMPONENT core
        FILES_MATCHING PATTERN "*.pb.h")
install(EXPORT ddspTargets NAMESPACE ddsp:: DESTINATION ${DDSP_PACKAGE_DIR} COMPONENT core)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/ddspConfig.cmake.in ${CMAKE_BINARY_DIR}/package/ddspConfig.cmake
                              INSTALL_DESTINATION ${DDSP_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/ddspConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/ddspConfig.cmake ${CMAKE_BINARY_DIR}/package/ddspConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/torch.cmake ${CMAKE_CURRENT_LIST_DIR}/core_dependencies.cmake
        DESTINATION ${DDSP_PACKAGE_DIR} COMPONENT core)
