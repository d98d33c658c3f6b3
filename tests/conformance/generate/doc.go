// Package generate makes programs for the stack machine from seeds. The kinds:
//
//	api             transactions under several names that read, write and conflict
//	threads         several machines at once, on keys of their own
//	tuple           the tuple layer
//	directory       directories, subspaces and partitions
//	directory_hca   many directories in many transactions: prefixes must differ
//
// A program is a list of steps, each some instructions that take nothing from
// the stack but what they have put there (some need a depth that earlier steps
// made). So a failing program can be shrunk by leaving out steps.
//
// Invariants:
//
//	G1  A seed gives the same program on every machine, until a generator is
//	    changed.
//	G2  The outcome does not depend on how machines interleave, nor on the
//	    numbers of versions: reads are waited for before their step ends, and
//	    what a transaction reads is never next to a versionstamped key that it
//	    writes.
package generate
