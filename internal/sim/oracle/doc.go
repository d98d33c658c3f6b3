// Package oracle says what the API must answer. It is a plain map, written for
// being believed and not for speed, and shares no code with the product: the
// tests of package kv and the workloads of the simulation compare each call
// with it.
//
//	rows := oracle.New(nil)
//	rows.Apply(mutation, readVersion) // what a transaction wrote so far
//	value, err := rows.Get(key)       // what it must read then
//	rows.Commit(mutations, stamp)     // what the store must hold afterwards
//
// Invariants, which its tests cite:
//
//	O1  Evaluate is what FoundationDB's documentation says of each atomic
//	    operation, at API version 510 and later.
//	O2  A key that a versionstamped mutation may have become cannot be read
//	    until it is set or cleared, or the mutations are committed.
//	O3  Apply and Commit give the same rows, but for the keys that are
//	    unreadable after Apply.
package oracle
