package workload

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// rows returns what a workload has stored.
func (s *stage) rows(t *testing.T, env *Env) []kv.KeyValue {
	t.Helper()
	rows, _, err := env.ReadAll(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// firstBelow returns the first of the rows whose key begins with a prefix.
func firstBelow(t *testing.T, rows []kv.KeyValue, prefix []byte) kv.KeyValue {
	t.Helper()
	for _, row := range rows {
		if kv.PrefixRange(prefix).Contains(row.Key) {
			return row
		}
	}
	t.Fatalf("there is no row below %q", prefix)
	return kv.KeyValue{}
}

func TestChecksOfVersionsAndWatchesFindWhatIsWrong(t *testing.T) {
	type tampering struct {
		name, workload, invariant string
		change                    func(env *Env, rows []kv.KeyValue, tx *kv.Transaction)
	}
	for _, c := range []tampering{
		{"a lost write", "Sideband", "S1", func(_ *Env, rows []kv.KeyValue, tx *kv.Transaction) { tx.Clear(rows[0].Key) }},
		{"an old stamp", "Sideband", "S1", func(_ *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(rows[0].Key, append(rows[0].Value[:8:8], make([]byte, len(kv.Stamp{}))...))
		}},
		{"a damaged value", "Sideband", "S3", func(_ *Env, rows []kv.KeyValue, tx *kv.Transaction) { tx.Set(rows[0].Key, []byte("x")) }},
		{"a lost key", "VersionStamp", "V4", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Clear(firstBelow(t, rows, env.Key("key/")).Key)
		}},
		{"a key with another stamp", "VersionStamp", "V1", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			row := firstBelow(t, rows, env.Key("key/"))
			row.Key[len(row.Key)-3]++
			tx.Set(row.Key, row.Value)
		}},
		{"a stamp twice", "VersionStamp", "V2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			row := firstBelow(t, rows, env.Key("key/"))
			row.Key[len(row.Key)-1] += 9
			tx.Set(row.Key, encodeNumber(1<<40))
		}},
		{"an old slot", "VersionStamp", "V5", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Clear(firstBelow(t, rows, env.Key("slot/")).Key)
		}},
		{"a number from nowhere", "Watches", "W4", func(env *Env, _ []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(env.Key("ring/%02d", 1), encodeNumber(1<<40))
		}},
		{"a client without a number", "Watches", "W4", func(env *Env, _ []kv.KeyValue, tx *kv.Transaction) { tx.Clear(env.Key("ring/%02d", 0)) }},
		{"half a transaction", "LongTransactions", "T1", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Add(firstBelow(t, rows, env.Key("counter/")).Key, make([]byte, 3))
		}},
		{"a lost counter", "LongTransactions", "T1", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Clear(firstBelow(t, rows, env.Key("counter/")).Key)
		}},
		{"another value", "ConflictRange", "C3", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(rows[len(rows)-1].Key, encodeNumber(1<<40))
		}},
		{"a strange key", "ConflictRange", "C3", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(append(rows[len(rows)-1].Key, 'x'), nil)
		}},
	} {
		t.Run(c.workload+" "+c.name, func(t *testing.T) {
			s := newStage(t)
			load, err := New(c.workload, s.world.Rand(c.workload))
			if err != nil {
				t.Fatal(err)
			}
			env := s.env(c.workload, 2)
			s.endure(t, load, env, 0, 30)
			rows := s.rows(t, env)
			s.tamper(t, func(tx *kv.Transaction) { c.change(env, rows, tx) })
			var violation *report.Violation
			if err := load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != c.invariant {
				t.Errorf("check says %v, want a violation of %s", err, c.invariant)
			}
		})
	}
}

// A timeline accepts what one order of versions explains, and nothing else.
func TestTimelinesFindWhatNoOrderExplains(t *testing.T) {
	type event struct {
		version kv.Version
		number  uint64
		read    bool
	}
	for name, c := range map[string]struct {
		events []event
		wrong  bool
	}{
		"writes and reads in order": {[]event{{10, 1, false}, {15, 1, true}, {20, 2, false}, {20, 2, true}, {19, 1, true}}, false},
		"numbers without a write":   {[]event{{10, 1, false}, {15, 2, true}, {20, 3, false}}, false},
		"a write that is missed":    {[]event{{10, 1, false}, {10, 0, true}}, true},
		"a write seen early":        {[]event{{10, 1, false}, {9, 1, true}}, true},
		"a read too early":          {[]event{{25, 1, true}, {20, 2, false}}, true},
		"writes out of order":       {[]event{{10, 2, false}, {20, 1, false}}, true},
		"two writes of a version":   {[]event{{10, 1, false}, {10, 2, false}}, true},
		"reads that differ":         {[]event{{10, 1, true}, {10, 2, true}}, true},
		"reads that go back":        {[]event{{10, 2, true}, {11, 1, true}}, true},
	} {
		var line timeline
		text := ""
		for _, e := range c.events {
			if e.read {
				text += line.read(e.version, e.number)
			} else {
				text += line.wrote(e.version, e.number)
			}
		}
		if (text != "") != c.wrong {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// Seed 94 read the counters of a store at the version before they were set up,
// and took that for lost data.
func TestATimelineNeverPicksAVersionBeforeTheFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var line timeline
	if text := line.read(10, 0) + line.wrote(20, 1) + line.read(12, 0); text != "" {
		t.Fatal(text)
	}
	picked := make(map[kv.Version]bool)
	for range 1000 {
		version, ok := line.pick(rng)
		if !ok {
			t.Fatal("nothing to pick from")
		}
		picked[version] = true
	}
	if got, want := slices.Sorted(maps.Keys(picked)), []kv.Version{10, 11, 12, 13, 19, 20, 21}; !slices.Equal(got, want) {
		t.Errorf("picked %v, want %v", got, want)
	}
}
