package simtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/hostcall"
)

// Run runs a test in a world of its own, see the package comment. define sets
// up: it may use the store, in which nothing goes wrong yet, and declares
// clients and checks. Run fails t if define, a client or a check returns an
// error, if a client does not get on once faults have ended, or if the store
// breaks a promise.
func Run(t testing.TB, define func(ctx context.Context, w *World) error, given ...Option) {
	t.Helper()
	s, err := newSetting(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	ctx, w := newWorld(t.Context(), s, newOptions(given))
	if s.simulated {
		// Deferred, since define may end the test by t.FailNow.
		defer func() { hostcall.Finish(w.finding(t.Name(), err, t.Failed()), nil) }()
	}
	if err = w.run(ctx, define); err != nil {
		t.Fatalf("simtest: %v", s.describe(err))
	}
}

// setting is where a test runs.
type setting struct {
	simulated bool
	// seed is what the user names, streamSeed what the chances come from: each
	// test of a binary has chances of its own.
	seed, streamSeed uint64
	trace            func(line []byte)
}

func newSetting(test string) (setting, error) {
	s := setting{simulated: runtime.GOOS == "wasip1", seed: rand.Uint64(), trace: func([]byte) {}}
	if s.simulated {
		seed, err := strconv.ParseUint(os.Getenv(hostcall.SeedVariable), 10, 64)
		if err != nil {
			return s, fmt.Errorf("simtest: a test that is compiled for wasm is run by plinth sim --package: %s: %w", hostcall.SeedVariable, err)
		}
		s.seed, s.trace = seed, hostcall.Trace
	}
	h := fnv.New64a()
	h.Write([]byte(test))
	s.streamSeed = s.seed ^ h.Sum64()
	return s, nil
}

// describe adds to an error how it came about.
func (s *setting) describe(err error) error {
	if s.simulated {
		return fmt.Errorf("seed %d: %w", s.seed, err)
	}
	return fmt.Errorf("%w (a native run, which nothing can repeat: plinth sim --package finds a seed that can be replayed)", err)
}
