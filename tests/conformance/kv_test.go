package conformance_test

import (
	"context"
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

// programsPerStore keeps the store small: it remembers five seconds.
const programsPerStore = 50

// checkPrograms runs programs of many seeds.
func checkPrograms(t *testing.T, open func(*testing.T) (*check.Subject, func()), seeds uint64, make func(seed uint64) *generate.Program) {
	t.Helper()
	for seed := uint64(0); seed < seeds; {
		s, closeStore := open(t)
		for range programsPerStore {
			checkProgram(t, s, make(seed))
			seed++
		}
		closeStore()
	}
}

// checkProgram runs one program, and shrinks it if it fails.
func checkProgram(t *testing.T, s *check.Subject, p *generate.Program) {
	t.Helper()
	difference, err := s.Check(p)
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	if difference != "" {
		smaller, difference := s.Shrink(p)
		t.Fatalf("%s\n%s", difference, smaller)
	}
}

func TestKVDoesWhatTheModelSaysOfAPIPrograms(t *testing.T) {
	checkPrograms(t, openKV, 500, func(seed uint64) *generate.Program { return generate.API(seed, 60) })
}

func TestKVDoesWhatTheModelSaysOfTuplePrograms(t *testing.T) {
	checkPrograms(t, openKV, 200, func(seed uint64) *generate.Program { return generate.Tuple(seed, 60) })
}

func TestKVDoesWhatTheModelSaysOfThreads(t *testing.T) {
	checkPrograms(t, openKV, 50, func(seed uint64) *generate.Program { return generate.Threads(seed, 3, 30) })
}

func TestKVDoesWhatTheModelSaysOfDirectoryPrograms(t *testing.T) {
	checkPrograms(t, openKV, 200, func(seed uint64) *generate.Program { return generate.Directory(seed, 60) })
}
