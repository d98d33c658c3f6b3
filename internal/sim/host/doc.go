// Package host builds the simulated program and runs it from a seed.
//
// The program (internal/sim/guest) is ordinary Go that is compiled for
// GOOS=wasip1 GOARCH=wasm and run by wazero. That makes a run reproducible to
// the last byte without any hook in the product: wasm has one thread and no
// preemption; the Go runtime draws all of its own randomness (select, map
// order, math/rand, crypto/rand) from one host function, which is seeded; and
// time is the host's clock, which moves a microsecond at each look and jumps
// to the next timer when no goroutine can run.
//
//	wasm, err := host.Build(ctx, host.BuildConfig{Root: root})
//	program, err := host.Load(ctx, wasm, host.LoadConfig{})
//	defer program.Close(ctx)
//	result := program.Run(ctx, host.RunConfig{Seed: 7})
//
// Build needs the go command, Plinth's source tree, and for modules that are
// not in the module cache yet a way to the module proxy. Pebble does not
// compile for wasm as it is, so Build makes a copy of the version in go.mod
// that has two files more, one less and one changed, and points the compiler at it with
// -modfile; the source tree itself is not touched. Everything is kept below
// the user's cache directory, keyed by versions and content.
//
// Invariants:
//
//	H1  A run depends on the compiled program, the seed and the arguments
//	    only: not on the machine, its load, other runs at the same time, or
//	    whether somebody looks at the trace.
//	H2  A run ends: when its virtual or its wall-clock limit is reached it is
//	    stopped and reported as hung.
//	H3  Every result says how to replay it: the seed is always in it.
//	H4  Files in the cache appear complete or not at all.
package host
