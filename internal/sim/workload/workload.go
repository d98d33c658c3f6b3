package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// Workload is a program with invariants.
type Workload interface {
	// Name is FoundationDB's name of it, where it has one.
	Name() string
	// Setup writes the first state. The store is empty and has no faults.
	Setup(ctx context.Context, env *Env) error
	// Run drives transactions until ctx ends and then returns nil.
	Run(ctx context.Context, env *Env) error
	// Check reads the store with env.ReadAll and returns env.Violated for an
	// invariant that does not hold. It may run next to Run.
	Check(ctx context.Context, env *Env) error
}

// catalogue returns a constructor for each workload. A workload draws its
// sizes from rng.
func catalogue() map[string]func(rng *rand.Rand) Workload {
	return map[string]func(rng *rand.Rand) Workload{
		"ApiCorrectness":          func(rng *rand.Rand) Workload { return newAPICorrectness(rng) },
		"AtomicOps":               func(rng *rand.Rand) Workload { return newAtomicOps(rng) },
		"AtomicOpsApiCorrectness": func(rng *rand.Rand) Workload { return newAtomicOpsAPI(rng) },
		"AutomaticIdempotency":    func(rng *rand.Rand) Workload { return newAutomaticIdempotency(rng) },
		"BankTransfers":           func(rng *rand.Rand) Workload { return newBankTransfers(rng) },
		"ConflictRange":           func(rng *rand.Rand) Workload { return newConflictRange(rng) },
		"Cycle":                   func(rng *rand.Rand) Workload { return newCycle(rng) },
		"DirectoryCorrectness":    func(rng *rand.Rand) Workload { return newDirectoryCorrectness(rng) },
		"FuzzApiCorrectness":      func(rng *rand.Rand) Workload { return newFuzzAPI(rng) },
		"HighContentionAllocator": func(rng *rand.Rand) Workload { return newHighContentionAllocator(rng) },
		"Increment":               func(rng *rand.Rand) Workload { return newIncrement(rng) },
		"ListAppend":              func(rng *rand.Rand) Workload { return newListAppend(rng) },
		"LockDatabase":            func(rng *rand.Rand) Workload { return newLockDatabase(rng) },
		"LongTransactions":        func(rng *rand.Rand) Workload { return newLongTransactions(rng) },
		"Registers":               func(rng *rand.Rand) Workload { return newRegisters(rng) },
		"RyowCorrectness":         func(rng *rand.Rand) Workload { return newRyowCorrectness(rng) },
		"SelectorCorrectness":     func(rng *rand.Rand) Workload { return newSelectorCorrectness(rng) },
		"Serializability":         func(rng *rand.Rand) Workload { return newSerializability(rng) },
		"Sideband":                func(rng *rand.Rand) Workload { return newSideband(rng) },
		"Unreadable":              func(rng *rand.Rand) Workload { return newUnreadable(rng) },
		"VersionStamp":            func(rng *rand.Rand) Workload { return newVersionStamp(rng) },
		"Watches":                 func(rng *rand.Rand) Workload { return newWatches(rng) },
		"WriteDuringRead":         func(rng *rand.Rand) Workload { return newWriteDuringRead(rng) },
	}
}

// Names returns the names of all workloads, in order.
func Names() []string { return sortedKeys(catalogue()) }

// Alone reports whether the workload of that name disturbs all others on its
// store, so that it must run by itself.
func Alone(name string) bool { return name == "LockDatabase" }

// New makes the workload of that name, with sizes drawn from rng.
func New(name string, rng *rand.Rand) (Workload, error) {
	construct, ok := catalogue()[name]
	if !ok {
		return nil, fmt.Errorf("there is no workload %q; there are %v", name, Names())
	}
	return construct(rng), nil
}
