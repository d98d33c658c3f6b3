// Package bank is an example: accounts, and transfers between them, on kv. Its
// test runs the same code under go test and in the simulation, see
// docs/simtest.md:
//
//	go test ./examples/bank
//	plinth sim --package ./examples/bank
//
// Invariants:
//
//	B1  The balances sum up to what the bank was opened with.
//	B2  No balance is negative.
package bank
