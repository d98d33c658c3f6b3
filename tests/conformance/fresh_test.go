package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// Fresh programs are such that no run before had. The usual run has a few of
// them; that of .ci/run, as many as it has time for:
//
//	go test . -run 'Fresh|Older' -v -for 60s
//
// which parts the time among the clients and the API versions. A failure names
// the command that has the program again.
var (
	fresh    = flag.Int("fresh", 24, "run so many fresh programs over each client")
	freshFor = flag.Duration("for", 0, "run fresh programs for so long in all, however many")
	only     = flag.String("kind", "api", "the kind of the program of TestProgramOfASeed")
	over     = flag.String("over", "kv", "what TestProgramOfASeed runs over: kv or compat")
)

// freshSeed returns where fresh seeds begin: at -seed, or at the time.
func freshSeed() uint64 {
	if *firstSeed != 0 {
		return *firstSeed
	}
	return uint64(time.Now().UnixMicro()) << 8 // seeds of threads are seeds<<8
}

func clients() map[string]opener { return map[string]opener{"kv": openKV, "compat": openFDB} }

// TestFreshPrograms runs programs of all kinds, several at a time, as most of
// their time they wait for the store.
func TestFreshPrograms(t *testing.T) {
	seed := freshSeed()
	for _, name := range []string{"kv", "compat"} {
		t.Run(name, func(t *testing.T) {
			r := freshRun{name: name, open: clients()[name], first: seed, duration: *freshFor / 3}
			programs, err := r.run(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if least := r.least(); programs < least {
				t.Fatalf("only %d programs ran in %v, want %d", programs, r.duration, least)
			}
			t.Logf("%d fresh programs over %s at API version %d, seeds from %d", programs, name, *apiVersion, seed)
		})
	}
}

// TestProgramOfASeed runs the one program that the flags name.
func TestProgramOfASeed(t *testing.T) {
	for _, k := range kinds() {
		if k.name == *only {
			onStore(t, clients()[*over], func(s *check.Subject) {
				checkProgram(t, s, k.make(*firstSeed).ForAPIVersion(*apiVersion))
			})
			return
		}
	}
	t.Fatalf("there is no kind %q", *only)
}

// freshRun runs the programs from a seed on, on some stores at once.
type freshRun struct {
	name  string
	open  opener
	first uint64
	// duration is for how long; 0 is for a number of programs.
	duration time.Duration
	taken    atomic.Uint64
	done     atomic.Int64
}

// storesAtOnce is how many stores are in use at a time.
const storesAtOnce = 4

// run returns how many programs passed, and the first that failed.
func (r *freshRun) run(ctx context.Context, dir string) (programs int64, err error) {
	if r.duration > 0 {
		enough, cancel := context.WithTimeout(ctx, r.duration)
		defer cancel()
		ctx = enough
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	for range storesAtOnce {
		workers.Go(func() {
			for r.more(ctx) {
				if err := r.onOneStore(ctx, dir); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil && err != context.DeadlineExceeded {
		return r.done.Load(), err
	}
	return r.done.Load(), nil
}

// least returns how many programs must have run: all, or one a second, which is a
// fiftieth of what two cores do.
func (r *freshRun) least() int64 {
	if r.duration > 0 {
		return max(1, int64(r.duration.Seconds()))
	}
	return int64(*fresh)
}

// more reports whether there are programs left to run.
func (r *freshRun) more(ctx context.Context) bool {
	return ctx.Err() == nil && (r.duration > 0 || r.taken.Load() < uint64(*fresh))
}

// onOneStore runs programs on a store of their own, until it has had enough.
func (r *freshRun) onOneStore(ctx context.Context, parent string) (err error) {
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return err
	}
	s, closeStore, err := r.open(dir)
	if err != nil {
		return err
	}
	defer func() {
		closeErr := closeStore()
		if err == nil {
			err = closeErr
		}
		if err == nil {
			err = os.RemoveAll(dir)
		}
	}()
	for n := 0; n < programsPerStore && r.more(ctx); n++ {
		p := programOf(r.first + r.taken.Add(1) - 1)
		if err := differs(s, p.ForAPIVersion(*apiVersion)); err != nil {
			return fmt.Errorf("%w\nthis program again: %s", err, r.again(p))
		}
		r.done.Add(1)
	}
	return nil
}

// again returns the command that runs a program again.
func (r *freshRun) again(p *generate.Program) string {
	command := fmt.Sprintf("go test . -run '^TestProgramOfASeed$' -over %s -kind %s -seed %d", r.name, p.Kind, p.Seed)
	if *apiVersion != newestAPIVersion {
		command += fmt.Sprintf(" -api-version %d", *apiVersion)
	}
	return command
}
