// The header of libsndfile, which reads FLAC files. No logic lives here.
#include <sndfile.h>
