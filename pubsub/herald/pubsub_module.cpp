// Gives the library its first object until the module's own sources are listed in meson.build; then this file goes.
