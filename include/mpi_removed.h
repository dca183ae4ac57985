/* mpi_removed.h: names of MPI 1 that MPI 3.0 removed, for programs that still have them. C89 and later, C++98 and later.
 *
 * Included by mpi.h where COW_MPI1_NAMES is defined, or by the program after mpi.h. All of it is written with functions of
 * the standard, so that a program compiled with it runs on every library with the standard ABI.
 *
 * MPI_LB and MPI_UB are had in MPI_Type_struct alone, also under that name only: as the datatype of anything else they are
 * no valid handles. Where just one of them stands in a structure, the other bound is that of the rest of the structure,
 * and both are fixed in types made of it. MPI_Type_get_envelope calls such a type MPI_COMBINER_RESIZED. */
#ifndef MPI_REMOVED_H_COW
#define MPI_REMOVED_H_COW

#include "mpi.h"

#include <stdlib.h>

#undef MPI_Address /* where mpi.h has said that they are removed */
#undef MPI_Errhandler_create
#undef MPI_Errhandler_get
#undef MPI_Errhandler_set
#undef MPI_Handler_function
#undef MPI_Type_extent
#undef MPI_Type_hindexed
#undef MPI_Type_hvector
#undef MPI_Type_lb
#undef MPI_Type_struct
#undef MPI_Type_ub
#undef MPI_LB
#undef MPI_UB
#undef MPI_COMBINER_HINDEXED_INTEGER
#undef MPI_COMBINER_HVECTOR_INTEGER
#undef MPI_COMBINER_STRUCT_INTEGER

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Addresses and extents ---- */

MPI_ABI_INLINE int MPI_Address(const void *location, MPI_Aint *address) MPI_ABI_UNREAD(1);
MPI_ABI_INLINE int MPI_Address(const void *location, MPI_Aint *address) { return MPI_Get_address(location, address); }

MPI_ABI_INLINE int MPI_Type_extent(MPI_Datatype datatype, MPI_Aint *extent)
{
    MPI_Aint lb;
    return MPI_Type_get_extent(datatype, &lb, extent);
}

MPI_ABI_INLINE int MPI_Type_lb(MPI_Datatype datatype, MPI_Aint *displacement)
{
    MPI_Aint extent;
    return MPI_Type_get_extent(datatype, displacement, &extent);
}

MPI_ABI_INLINE int MPI_Type_ub(MPI_Datatype datatype, MPI_Aint *displacement)
{
    MPI_Aint lb;
    const int error = MPI_Type_get_extent(datatype, &lb, displacement);
    if (error == MPI_SUCCESS) *displacement += lb;
    return error;
}

/* ---- Error handlers of communicators ---- */

typedef MPI_Comm_errhandler_function MPI_Handler_function;

MPI_ABI_INLINE int MPI_Errhandler_create(MPI_Handler_function *function, MPI_Errhandler *errhandler)
{
    return MPI_Comm_create_errhandler(function, errhandler);
}

MPI_ABI_INLINE int MPI_Errhandler_set(MPI_Comm comm, MPI_Errhandler errhandler)
{
    return MPI_Comm_set_errhandler(comm, errhandler);
}

MPI_ABI_INLINE int MPI_Errhandler_get(MPI_Comm comm, MPI_Errhandler *errhandler)
{
    return MPI_Comm_get_errhandler(comm, errhandler);
}

/* ---- Datatypes ---- */

/* The forms for Fortran's INTEGER displacements. Nothing answers with them; cases of a switch may have them. */
#define MPI_COMBINER_HVECTOR_INTEGER (-MPI_COMBINER_HVECTOR)
#define MPI_COMBINER_HINDEXED_INTEGER (-MPI_COMBINER_HINDEXED)
#define MPI_COMBINER_STRUCT_INTEGER (-MPI_COMBINER_STRUCT)

MPI_ABI_INLINE int MPI_Type_hvector(int count, int blocklength, MPI_Aint stride, MPI_Datatype oldtype,
        MPI_Datatype *newtype)
{
    return MPI_Type_create_hvector(count, blocklength, stride, oldtype, newtype);
}

MPI_ABI_INLINE int MPI_Type_hindexed(int count, const int blocklengths[], const MPI_Aint displacements[],
        MPI_Datatype oldtype, MPI_Datatype *newtype)
{
    return MPI_Type_create_hindexed(count, blocklengths, displacements, oldtype, newtype);
}

/* Marks of the bounds of a structure: no handles, and of no library's values. */
#define MPI_LB MPI_ABI_CAST(MPI_Datatype, -2)
#define MPI_UB MPI_ABI_CAST(MPI_Datatype, -3)

/* Is there such a mark, and where: the lowest MPI_LB, the highest MPI_UB. Blocks of length 0 are none. */
MPI_ABI_INLINE int cow_mpi1_find_mark(MPI_Datatype mark, int count, const int blocklengths[],
        const MPI_Aint displacements[], const MPI_Datatype types[], MPI_Aint *place)
{
    int i, found = 0;
    for (i = 0; i < count; ++i) {
        if (types[i] != mark || blocklengths[i] <= 0) continue;
        if (!found || (mark == MPI_LB ? displacements[i] < *place : displacements[i] > *place)) *place = displacements[i];
        found = 1;
    }
    return found;
}

/* The structure without its marks: empty blocks in their places. */
MPI_ABI_INLINE int cow_mpi1_unmarked_struct(int count, const int blocklengths[], const MPI_Aint displacements[],
        const MPI_Datatype types[], MPI_Datatype *newtype)
{
    const size_t length = MPI_ABI_NUMBER(size_t, count);
    MPI_Datatype *const plain_types = MPI_ABI_NUMBER(MPI_Datatype *, malloc(length * sizeof(MPI_Datatype)));
    int *const plain_lengths = MPI_ABI_NUMBER(int *, malloc(length * sizeof(int)));
    int i, error = MPI_ERR_NO_MEM;
    if (plain_types && plain_lengths) {
        for (i = 0; i < count; ++i) {
            const int is_mark = types[i] == MPI_LB || types[i] == MPI_UB;
            plain_types[i] = is_mark ? MPI_BYTE : types[i];
            plain_lengths[i] = is_mark ? 0 : blocklengths[i];
        }
        error = MPI_Type_create_struct(count, plain_lengths, displacements, plain_types, newtype);
    } else {
        MPI_Comm_call_errhandler(MPI_COMM_SELF, error);
    }
    free(plain_types);
    free(plain_lengths);
    return error;
}

MPI_ABI_INLINE int MPI_Type_struct(int count, const int blocklengths[], const MPI_Aint displacements[],
        const MPI_Datatype types[], MPI_Datatype *newtype)
{
    MPI_Aint lb, extent, mark_lb = 0, mark_ub = 0;
    MPI_Datatype plain = MPI_DATATYPE_NULL;
    int has_lb, has_ub, error;
    if (count <= 0 || !blocklengths || !displacements || !types) /* for its checks */
        return MPI_Type_create_struct(count, blocklengths, displacements, types, newtype);
    has_lb = cow_mpi1_find_mark(MPI_LB, count, blocklengths, displacements, types, &mark_lb);
    has_ub = cow_mpi1_find_mark(MPI_UB, count, blocklengths, displacements, types, &mark_ub);
    if (!has_lb && !has_ub) return MPI_Type_create_struct(count, blocklengths, displacements, types, newtype);
    error = cow_mpi1_unmarked_struct(count, blocklengths, displacements, types, &plain);
    if (error == MPI_SUCCESS) error = MPI_Type_get_extent(plain, &lb, &extent);
    if (error == MPI_SUCCESS) {
        if (!has_lb) mark_lb = lb;
        if (!has_ub) mark_ub = lb + extent;
        error = MPI_Type_create_resized(plain, mark_lb, mark_ub - mark_lb, newtype);
    }
    if (plain != MPI_DATATYPE_NULL) MPI_Type_free(&plain);
    return error;
}

#ifdef __cplusplus
}
#endif

#endif /* MPI_REMOVED_H_COW */
