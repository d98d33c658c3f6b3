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
			difference, disturbance, err := check.KV(ctx, db).CheckInTrouble(p)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil:
				return fmt.Errorf("the %s program of seed %d: %w", p.Kind, p.Seed, err)
			case difference != "":
				return fmt.Errorf("the %s program of seed %d, disturbed %v: %s\n%s", p.Kind, p.Seed, disturbance, difference, p)
			case disturbance != nil:
				disturbed++
			}
			programs++
			w.Trace("%d programs, %d of them ended by a fault", programs, disturbed)
			return nil
		})
		return nil
	}, simtest.WithLength(30*time.Second, 300*time.Millisecond))
}

// drawProgram draws a program of one machine.
func drawProgram(rng *rand.Rand) *generate.Program {
	steps := 5 + rng.IntN(60)
	kinds := []func(uint64, int) *generate.Program{generate.API, generate.API, generate.Tuple, generate.Directory}
	return kinds[rng.IntN(len(kinds))](rng.Uint64(), steps)
}
