package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/simtest"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// TestProgramsInTheSimulation runs programs over both clients, on a store that is
// killed, loses power and messages, and has trouble with its disk. In a step each
// client has its turn, as a program has the store for itself.
func TestProgramsInTheSimulation(t *testing.T) {
	simtest.Run(t, func(_ context.Context, w *simtest.World) error {
		version := *apiVersion
		if w.Simulated() { // a seed has a process of its own
			versions := append(olderAPIVersions(), newestAPIVersion)
			version = versions[w.Rand("API version").IntN(len(versions))]
		}
		fdb.MustAPIVersion(version)
		overKV, overCompat := &tally{client: "kv", version: newestAPIVersion}, &tally{client: "compat", version: version}
		w.Client("programs", func(ctx context.Context, db *kv.Database, rng *rand.Rand) error {
			if err := overKV.run(ctx, check.KV(ctx, db), rng); err != nil {
				return err
			}
			s, closeDatabase, err := compatOn(ctx, db)
			if err != nil {
				return err
			}
			defer closeDatabase()
			err = overCompat.run(ctx, s, rng)
			w.Trace("%s; %s", overKV, overCompat)
			return err
		})
		w.Check("the number of programs", func(context.Context, *kv.Database) error {
			return errors.Join(overKV.enough(), overCompat.enough())
		})
		return nil
	}, simtest.WithLength(5*time.Second, 300*time.Millisecond))
}

// compatOn returns the compat module on db as a subject, until ctx ends.
func compatOn(ctx context.Context, db *kv.Database) (s *check.Subject, closeDatabase func(), err error) {
	d, err := fdb.DatabaseOf(db)
	if err != nil {
		return nil, nil, err
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		d.Close()
		close(closed)
	})
	closeDatabase = func() {
		if stop() {
			d.Close()
			return
		}
		<-closed
	}
	return check.FDB(d, true), closeDatabase, nil
}

// tally counts the programs over a client.
type tally struct {
	client string
	// version is the API version that programs are made for.
	version             int
	programs, disturbed int
}

// run runs a program, and judges what it did.
func (c *tally) run(ctx context.Context, s *check.Subject, rng *rand.Rand) error {
	p := drawProgram(rng).ForAPIVersion(c.version)
	difference, disturbances, err := s.CheckInTrouble(p)
	what := fmt.Sprintf("the %s program of seed %d over %s at API version %d", p.Kind, p.Seed, c.client, c.version)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case difference != "":
		return fmt.Errorf("%s, disturbed %v: %s\n%s", what, disturbances, difference, p)
	case len(disturbances) > 0:
		c.disturbed++
	}
	c.programs++
	return nil
}

// enough returns an error if there were no programs. There is at least one, as the
// client must do a step once the faults have ended.
func (c *tally) enough() error {
	if c.programs == 0 {
		return fmt.Errorf("%s: too few", c)
	}
	return nil
}

// String says how many programs there were.
func (c *tally) String() string {
	return fmt.Sprintf("%d programs over %s at API version %d, %d of them ended by a fault", c.programs, c.client, c.version, c.disturbed)
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
