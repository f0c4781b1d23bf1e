// Everything that is compiled once for each instruction set: included inside an unnamed namespace,
// after SEQCLF_VECTOR_WIDTH is defined. It calls nothing of the standard library, so that no code
// for one instruction set can stand in for the same function elsewhere.
#include "vectors.h"
#include "tiles.h"
#include "packing.h"
#include "forward.h"
#include "backward.h"
