package cluster

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/rowsum"
	"github.com/plinthdb/plinth/internal/wire"
)

// mixedRequest draws a transaction of sets, clears and atomic operations on few
// keys.
func mixedRequest(rng *rand.Rand, read wire.Version) *wire.CommitRequest {
	req := &wire.CommitRequest{ReadVersion: read}
	for range 1 + rng.IntN(4) {
		key := fmt.Appendf(nil, "key%02d", rng.IntN(40))
		m := wire.Mutation{Type: wire.SetValue, Param1: key, Param2: fmt.Appendf(nil, "%d%0*d", rng.IntN(1000), 1+rng.IntN(300), 0)}
		switch rng.IntN(4) {
		case 0:
			m = wire.Mutation{Type: wire.ClearRange, Param1: key, Param2: fmt.Appendf(nil, "key%02d", rng.IntN(45))}
			if string(m.Param2) < string(m.Param1) {
				m.Param1, m.Param2 = m.Param2, m.Param1
			}
		case 1:
			m = wire.Mutation{Type: wire.AddValue, Param1: key, Param2: binary.LittleEndian.AppendUint64(nil, rng.Uint64N(100))}
		}
		req.Mutations = wire.AppendMutation(req.Mutations, m)
		req.WriteConflicts = append(req.WriteConflicts, wire.SingleKey(key))
	}
	return req
}

// sumAt sums up the rows of an open store at a version.
func sumAt(t *testing.T, l *Local, version wire.Version) string {
	t.Helper()
	reply, err := l.GetRange(context.Background(), &wire.GetRangeRequest{Version: version, End: []byte(wire.SystemPrefix)})
	if err != nil || reply.More {
		t.Fatalf("read at version %d: more %v, %v", version, reply.More, err)
	}
	s := rowsum.New()
	for _, row := range reply.Rows {
		s.Add(row.Key, row.Value)
	}
	return s.String()
}

// workOnMixed commits n mixed transactions and returns the sums of the states
// after some of them, by version.
func workOnMixed(t *testing.T, l *Local, rng *rand.Rand, n int) map[wire.Version]string {
	t.Helper()
	sums := map[wire.Version]string{}
	for i := range n {
		reply, err := l.Commit(context.Background(), mixedRequest(rng, readVersion(t, l)))
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 || i == n-1 {
			sums[reply.Version] = sumAt(t, l, reply.Version)
		}
	}
	return sums
}

// Check knows what the store shows, now and at the versions that the log still
// has: engine plus log is engine plus window (C4).
func TestCheckKnowsTheStatesThatTheStoreShowed(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	fs := vfs.NewMem()
	compared := 0
	for range 4 {
		l := openSmall(t, fs)
		sums := workOnMixed(t, l, rng, 60)
		versions := slices.Sorted(maps.Keys(sums))
		newest := versions[len(versions)-1]
		closeStore(t, l)
		report, err := Check(context.Background(), fs, "data", versions...)
		if err != nil {
			t.Fatal(err)
		}
		expectHealthy(t, report)
		if report.State == nil || report.State.Sum != sums[newest] || report.State.Version != report.Log.End {
			t.Fatalf("at the end the store showed %s, Check says %+v", sums[newest], report.State)
		}
		for _, s := range report.Earlier {
			if compared++; sums[s.Version] != s.Sum {
				t.Errorf("at version %d the store showed %s, Check says %+v", s.Version, sums[s.Version], s)
			}
		}
	}
	if compared == 0 {
		t.Error("no earlier state was compared")
	}
}

// tamperEngine changes the engine's files behind the back of the store.
func tamperEngine(t *testing.T, fs vfs.FS, change func(b *pebble.Batch) error) {
	t.Helper()
	db, err := pebble.Open("data/"+storageDir, &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, DisableWAL: true, Logger: silentLogger{}})
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	if err := change(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// silentLogger keeps Pebble's remarks out of the test's output.
type silentLogger struct{}

func (silentLogger) Infof(string, ...any)  {}
func (silentLogger) Errorf(string, ...any) {}
func (silentLogger) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// openUncut opens a store that gives everything to the engine at once and keeps
// its whole log.
func openUncut(t *testing.T, fs vfs.FS) *Local {
	t.Helper()
	config := checkedConfig(fs)
	config.LogCutBytes, config.LogSegmentBytes, config.WindowBytes = 1<<30, 1<<20, 1
	l, err := OpenLocal(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// storeWithItsLog returns a store whose engine and log both hold one commit: it
// sets "kept", and clears "gone" and everything that begins with "range".
func storeWithItsLog(t *testing.T) *vfs.MemFS {
	t.Helper()
	for {
		fs := vfs.NewMem()
		l := openUncut(t, fs)
		req := setRequest(readVersion(t, l), "kept", "right")
		for _, r := range []wire.KeyRange{{Begin: []byte("gone"), End: []byte("gone\x00")}, {Begin: []byte("range"), End: []byte("rangf")}} {
			req.Mutations = wire.AppendMutation(req.Mutations, wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End})
		}
		reply, err := l.Commit(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		for l.storage.OldestReadable() < reply.Version {
			if _, err := l.Commit(context.Background(), setRequest(readVersion(t, l), "other", "x")); err != nil {
				t.Fatal(err)
			}
		}
		closeStore(t, l)
		r := check(t, fs)
		expectHealthy(t, r)
		// On a machine that stood still the log may be cut already.
		if r.Log.Oldest() < reply.Version {
			return fs
		}
	}
}

// What the engine should have from versions that the log still keeps is
// compared row by row.
func TestCheckFindsAnEngineThatDiffersFromItsLog(t *testing.T) {
	set := func(key, value string) func(b *pebble.Batch) error {
		return func(b *pebble.Batch) error { return b.Set([]byte("\x01"+key), []byte(value), nil) }
	}
	for name, c := range map[string]struct {
		change func(b *pebble.Batch) error
		words  []string
	}{
		"another value":            {set("kept", "wrong"), []string{"kept", "wrong", "right"}},
		"a missing row":            {func(b *pebble.Batch) error { return b.Delete([]byte("\x01kept"), nil) }, []string{"kept", "missing"}},
		"a cleared row":            {set("gone", "back"), []string{"gone", "was cleared"}},
		"a row in a cleared range": {set("range5", "back"), []string{"range5", "was cleared"}},
	} {
		t.Run(name, func(t *testing.T) {
			fs := storeWithItsLog(t)
			tamperEngine(t, fs, c.change)
			r := check(t, fs)
			expectProblem(t, r, "versions", append(c.words, "data/storage")...)
		})
	}
}
