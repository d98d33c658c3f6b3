// Package model is a store in memory that is simple enough to be believed: it
// keeps every value that a key ever had, and decides conflicts by comparing
// each read range with every write since. Package kv is tested against it, and
// its examples run on it.
//
// It implements kv.Backend with one difference to the real store, which makes
// it the stricter one: old versions never go away unless Window is set.
//
// Invariants, which its tests cite:
//
//	M1  A read at version v sees exactly the mutations of the versions <= v.
//	M2  A commit is refused if a range that it read was written after its read
//	    version.
//	M3  Commit versions increase; a read version shows every commit that was
//	    acknowledged before it was asked for.
//	M4  While DatabaseLockedKey is present, only lock-aware commits pass.
package model
