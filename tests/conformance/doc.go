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
// All instructions of its bindingApiTester.md and directoryLayerTester.md are
// implemented; the table in instructionstable_test.go says which kinds of programs
// have each, and a test that they do. Those of tenantTester.md are not: neither
// client has tenants, and a program with one of them ends with an error that names
// it. The module's own tests say what its calls for tenants return.
//
// # Seeds
//
// Each run begins with fixed seeds, and goes on with fresh ones, which the time
// gives: a few usually, thousands in .ci/run,
//
//	go test . -run 'Fresh|Older' -v -for 60s
//
// which prints where the seeds begin and how many programs ran. A failing
// program is shrunk and printed, with the command that runs it again, such as
//
//	go test . -run '^TestProgramOfASeed$' -over compat -kind api -seed 42
//
// # API versions
//
// The compat module runs at API version 730, and in processes of their own at
// 200, 300, 410, 510, 600, 620, 630, 700 and 710. What an older version does
// differently is in the Dialect: what a commit makes of its transaction and read
// version (410, 700), what snapshots see (300), what AND and MIN make of an absent
// key (510), where stamps go (520), what OnError does (610). What no instruction
// can tell from outside, such as options, addresses and special keys, the module's
// own TestAPIVersionsBehaveAsDocumented looks at.
//
// # In the simulated world
//
// Programs of all kinds also run over both clients in the simulated world, under
// faults from a seed: over kv, and over the compat module on the same kv.Database
// (fdb.DatabaseOf), at an API version that the seed draws. What the module runs
// again by itself is exactly once there, as with kv: a program that does something
// twice has no prediction. A machine that a fault has reached is ended there; the store must
// then hold what its instructions left behind up to that one, with it or without
// it. Each machine of a program of several is judged by itself, as each writes to
// keys of its own; the one that waits for it is ended too. Allocated prefixes must
// never overlap, faults or none. From the root:
//
//	go run ./cmd/plinth sim --package ./tests/conformance --seeds 20
//
// Two scripted programs do not run there. UNIT_TESTS lets transactions run out of
// time and retries, which faults do as well: their outcome has no prediction. The
// script of START_THREAD writes the program of its thread itself, so nobody can
// tell how far that came which a fault has ended; programs of the kinds threads
// and directory_hca have the instruction.
//
// A range's estimated size and its split points are nobody's promise. The model
// says which calls fail; the machine, that a size is not negative, and that points
// are in order, from one bound to the other.
package conformance
