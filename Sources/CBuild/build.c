#include "CBuild.h"

const char *build_commit(void) { return BUILD_COMMIT; }

const char *build_compiler(void) { return __VERSION__; }
