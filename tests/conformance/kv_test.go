package conformance_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// openKV opens a store in memory.
func openKV(t *testing.T) (s *check.Subject, closeStore func()) {
	t.Helper()
	db, store, err := embedded.Open("", embedded.InMemory(), embedded.WithDatabaseOptions(
		kv.WithTransactionDefaults(kv.WithMaxRetryDelay(time.Millisecond))))
	if err != nil {
		t.Fatal(err)
	}
	return check.KV(context.Background(), db), func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// campaign and firstSeed make the tests run more programs, and other ones:
//
//	go test . -run 'API' -campaign 20 -seed 1000000
var (
	campaign  = flag.Uint64("campaign", 1, "run so many times as many programs")
	firstSeed = flag.Uint64("seed", 0, "begin with this seed")
)

// programsPerStore keeps the store small: it remembers five seconds.
const programsPerStore = 25

// checkPrograms runs programs of many seeds.
func checkPrograms(t *testing.T, open func(*testing.T) (*check.Subject, func()), seeds uint64, make func(seed uint64) *generate.Program) {
	t.Helper()
	for seed, end := *firstSeed, *firstSeed+*campaign*seeds; seed < end; {
		checkOnOneStore(t, open, func(s *check.Subject) {
			for range programsPerStore {
				checkProgram(t, s, make(seed))
				seed++
			}
		})
	}
}

// checkOnOneStore runs f with a store, and closes that however f ends.
func checkOnOneStore(t *testing.T, open func(*testing.T) (*check.Subject, func()), f func(*check.Subject)) {
	t.Helper()
	s, closeStore := open(t)
	defer closeStore()
	f(s)
}

// checkProgram runs one program, and shrinks it if it fails.
func checkProgram(t *testing.T, s *check.Subject, p *generate.Program) {
	t.Helper()
	difference, err := s.Check(p)
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	if difference != "" {
		t.Logf("the %s program of seed %d: %s", p.Kind, p.Seed, difference)
		smaller, difference := s.Shrink(p)
		t.Fatalf("%s\n%s", difference, smaller)
	}
}

func TestKVDoesWhatTheModelSaysOfAPIPrograms(t *testing.T) {
	checkPrograms(t, openKV, 100, func(seed uint64) *generate.Program { return generate.API(seed, 60) })
}

func TestKVDoesWhatTheModelSaysOfTuplePrograms(t *testing.T) {
	checkPrograms(t, openKV, 50, func(seed uint64) *generate.Program { return generate.Tuple(seed, 60) })
}

func TestKVDoesWhatTheModelSaysOfThreads(t *testing.T) {
	checkPrograms(t, openKV, 25, func(seed uint64) *generate.Program { return generate.Threads(seed, 3, 30) })
}

func TestKVDoesWhatTheModelSaysOfDirectoryPrograms(t *testing.T) {
	checkPrograms(t, openKV, 50, func(seed uint64) *generate.Program { return generate.Directory(seed, 60) })
}
