package conformance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/simtest"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// TestProgramsInTheSimulation runs programs on a store that is killed, loses
// power and messages, and has trouble with its disk.
func TestProgramsInTheSimulation(t *testing.T) {
	simtest.Run(t, func(_ context.Context, w *simtest.World) error {
		var programs, disturbed int
		w.Client("programs", func(ctx context.Context, db *kv.Database, rng *rand.Rand) error {
			p := drawProgram(rng)
			difference, disturbances, err := check.KV(ctx, db).CheckInTrouble(p)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil:
				return fmt.Errorf("the %s program of seed %d: %w", p.Kind, p.Seed, err)
			case difference != "":
				return fmt.Errorf("the %s program of seed %d, disturbed %v: %s\n%s", p.Kind, p.Seed, disturbances, difference, p)
			case len(disturbances) > 0:
				disturbed++
			}
			programs++
			w.Trace("%d programs, %d of them ended by a fault; %s", programs, disturbed, p.Kind)
			return nil
		})
		return nil
	}, simtest.WithLength(10*time.Second, 300*time.Millisecond))
}

// drawProgram draws a program of any kind, and of any size up to the usual one.
func drawProgram(rng *rand.Rand) *generate.Program {
	seed := rng.Uint64()
	switch rng.IntN(12) {
	case 0, 1, 2, 3, 4:
		return generate.API(seed, 5+rng.IntN(60))
	case 5, 6:
		return generate.Tuple(seed, 5+rng.IntN(60))
	case 7, 8:
		return generate.Directory(seed, 5+rng.IntN(60))
	case 9:
		return generate.Threads(seed>>8, 1+rng.IntN(4), 5+rng.IntN(30))
	case 10:
		return generate.Allocator(seed>>8, 1+rng.IntN(4), 1+rng.IntN(6))
	}
	return scriptInTrouble(seed)
}

// scriptInTrouble returns a program of scripts, but for the two that make no sense
// there (doc.go).
func scriptInTrouble(seed uint64) *generate.Program {
	return chain(seed, func(s *scripted) bool { return !s.calls("UNIT_TESTS") && !s.calls("START_THREAD") })
}
