// Package conformance tests that Plinth does what FoundationDB's binding tester
// asks of a client. It is a module of its own, as it needs the compat module.
//
//	machine      the stack machine of the specification, over an interface
//	kvclient     that interface over kv, kv/tuple, kv/subspace and kv/directory
//	fdbclient    the same over FoundationDB's Go API, the compat module
//	model        the same over plain maps: it says what must come out
//	generate     programs from seeds
//	check        runs programs, compares with the model, shrinks what fails
//	stacktester  the program of the specification, over fdbclient
//
// The specification is bindings/bindingtester/spec in FoundationDB's
// repository. Programs are stored in the database and write their results
// there; all rows of the database are compared with the model's in the end.
// Where kv differs from FoundationDB's bindings the Dialects in check say so:
// they are the list of known differences.
//
// A failing program is shrunk and printed. More programs than the usual ones
// run with
//
//	go test . -campaign 20 -seed 1000000
//
// The compat module runs at API version 730, and a few programs at older ones,
// each in a process of its own. Versions below 410 are not tested: there a
// commit reset its transaction, which the model does not do.
//
// Programs also run over kv in the simulated world, under faults from a seed.
// One that a fault has reached is ended there; the store must then hold what its
// instructions left behind up to that one, with it or without it. From the root:
//
//	go run ./cmd/plinth sim --package ./tests/conformance --seeds 20
package conformance
