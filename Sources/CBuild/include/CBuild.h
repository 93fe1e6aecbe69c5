#pragma once

/// The commit that the program was built from, `+` behind it where files had been changed; empty for a build without Git.
const char *build_commit(void);

/// The compiler of the toolchain, as it names itself.
const char *build_compiler(void);
