// The MPI header, and Swift names for what Swift cannot import from it. No logic lives here.
//
// Two things are in the way. Macros that cast an address (MPI_COMM_WORLD, MPI_FLOAT, MPI_SUM, ...) do not import at
// all. And a handle is an untyped pointer in Open MPI but an `int` in MPICH. So each kind of handle gets a struct of
// one field, and each constant a getter that returns this struct: the same Swift source then builds with both
// libraries, and a communicator cannot be mistaken for a datatype.

#ifndef CMPI_H
#define CMPI_H

#include <mpi.h>

// A handle only names an object inside the MPI library. Which thread may use it is a matter of the thread level.
#define CMPI_HANDLE __attribute__((swift_attr("@Sendable")))

typedef struct CMPI_HANDLE { MPI_Comm handle; } CMPI_Comm;
typedef struct CMPI_HANDLE { MPI_Datatype handle; } CMPI_Datatype;
typedef struct CMPI_HANDLE { MPI_Op handle; } CMPI_Op;
typedef struct CMPI_HANDLE { MPI_Request handle; } CMPI_Request;
typedef struct CMPI_HANDLE { MPI_Info handle; } CMPI_Info;
typedef struct CMPI_HANDLE { MPI_Errhandler handle; } CMPI_Errhandler;
typedef struct CMPI_HANDLE { MPI_Win handle; } CMPI_Win;

// `var NAME: type { get }` in Swift, with the value of the C macro NAME.
#define CMPI_CONSTANT(type, name)                                                                                    \
  static inline type cmpi_##name(void) __attribute__((swift_name("getter:" #name "()")));                            \
  static inline type cmpi_##name(void) {                                                                             \
    type constant = {name};                                                                                          \
    return constant;                                                                                                 \
  }

CMPI_CONSTANT(CMPI_Comm, MPI_COMM_WORLD)
CMPI_CONSTANT(CMPI_Comm, MPI_COMM_SELF)
CMPI_CONSTANT(CMPI_Request, MPI_REQUEST_NULL)
CMPI_CONSTANT(CMPI_Info, MPI_INFO_NULL)
CMPI_CONSTANT(CMPI_Errhandler, MPI_ERRORS_RETURN)
CMPI_CONSTANT(CMPI_Win, MPI_WIN_NULL)

CMPI_CONSTANT(CMPI_Datatype, MPI_FLOAT)
CMPI_CONSTANT(CMPI_Datatype, MPI_DOUBLE)
CMPI_CONSTANT(CMPI_Datatype, MPI_UINT8_T)
CMPI_CONSTANT(CMPI_Datatype, MPI_UINT16_T)
CMPI_CONSTANT(CMPI_Datatype, MPI_INT32_T)
CMPI_CONSTANT(CMPI_Datatype, MPI_UINT32_T)
CMPI_CONSTANT(CMPI_Datatype, MPI_INT64_T)
CMPI_CONSTANT(CMPI_Datatype, MPI_UINT64_T)

CMPI_CONSTANT(CMPI_Op, MPI_SUM)
CMPI_CONSTANT(CMPI_Op, MPI_PROD)
CMPI_CONSTANT(CMPI_Op, MPI_MAX)
CMPI_CONSTANT(CMPI_Op, MPI_MIN)
CMPI_CONSTANT(CMPI_Op, MPI_LAND)
CMPI_CONSTANT(CMPI_Op, MPI_LOR)
CMPI_CONSTANT(CMPI_Op, MPI_BAND)
CMPI_CONSTANT(CMPI_Op, MPI_BOR)

CMPI_CONSTANT(void *, MPI_IN_PLACE)

#endif
