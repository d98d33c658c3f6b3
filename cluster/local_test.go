package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

func open(t testing.TB, fs vfs.FS, dir string) *Local {
	t.Helper()
	l, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeStore(t testing.TB, l *Local) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func readVersion(t testing.TB, l *Local) wire.Version {
	t.Helper()
	reply, err := l.ReadVersion(context.Background(), wire.ReadVersionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return reply.Version
}

// setRequest is a blind write.
func setRequest(readVersion wire.Version, key, value string) *wire.CommitRequest {
	return &wire.CommitRequest{
		ReadVersion:    readVersion,
		WriteConflicts: []wire.KeyRange{wire.SingleKey([]byte(key))},
		Mutations:      wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: []byte(value)}),
	}
}

func get(t testing.TB, l *Local, key string) string {
	t.Helper()
	reply, err := l.GetValues(context.Background(), &wire.GetValuesRequest{Version: readVersion(t, l), Keys: [][]byte{[]byte(key)}})
	if err != nil {
		t.Fatal(err)
	}
	if reply.Values[0] == nil {
		return "(absent)"
	}
	return string(reply.Values[0])
}

// Set and Get go through every role, and a restart keeps what was committed.
func TestCommitsAreReadAndSurviveARestart(t *testing.T) {
	fs := vfs.NewMem()
	var last wire.Version
	for life := range 3 {
		l := open(t, fs, "data")
		for i := range 100 {
			key := fmt.Sprint("key", i)
			if life > 0 {
				if got, want := get(t, l, key), fmt.Sprint("value", life-1); got != want {
					t.Fatalf("life %d: %s is %s, want %s", life, key, got, want)
				}
			}
			reply, err := l.Commit(context.Background(), setRequest(readVersion(t, l), key, fmt.Sprint("value", life)))
			if err != nil {
				t.Fatal(err)
			}
			if reply.Version <= last {
				t.Fatalf("life %d: commit at version %d after %d", life, reply.Version, last)
			}
			last = reply.Version
			if v := readVersion(t, l); v < reply.Version {
				t.Fatalf("T1: read version %d after a commit at %d", v, reply.Version)
			}
		}
		closeStore(t, l)
	}
}

// Writers are cut off by crashes at any moment; every acknowledged write is
// there afterwards, and no write appears that was refused.
func TestCrashesLoseNothingAcknowledged(t *testing.T) {
	fs := vfs.NewCrashableMem()
	rng := rand.New(rand.NewPCG(3, 4))
	acked := make(map[string]int) // key -> newest acknowledged number
	for life := range 8 {
		l := open(t, fs, "data")
		for key, number := range acked {
			var got int
			if _, err := fmt.Sscan(get(t, l, key), &got); err != nil || got < number {
				t.Fatalf("life %d: %s is %d (%v), acknowledged was %d", life, key, got, err, number)
			}
		}
		var clone *vfs.MemFS
		var mu sync.Mutex
		var group sync.WaitGroup
		crashAt := 20 + rng.IntN(100)
		done := 0
		for g := range 4 {
			group.Go(func() {
				for i := range 50 {
					key, number := fmt.Sprintf("key%d-%d", g, i%7), life*1000+i
					_, err := l.Commit(context.Background(), setRequest(readVersion(t, l), key, fmt.Sprint(number)))
					mu.Lock()
					if err != nil {
						t.Errorf("commit: %v", err)
					} else if clone == nil {
						acked[key] = number
						if done++; done == crashAt {
							clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
						}
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		closeStore(t, l)
		if clone != nil {
			fs = clone
		}
	}
}

func TestConflictsAreFoundAndNamed(t *testing.T) {
	l := open(t, vfs.NewMem(), "data")
	defer closeStore(t, l)
	ctx := context.Background()
	old := readVersion(t, l)
	if _, err := l.Commit(ctx, setRequest(old, "a", "1")); err != nil {
		t.Fatal(err)
	}
	loser := setRequest(old, "b", "2")
	loser.ReadConflicts = []wire.KeyRange{wire.SingleKey([]byte("x")), wire.SingleKey([]byte("a"))}
	loser.ReportConflicts = true
	_, err := l.Commit(ctx, loser)
	var conflict *wire.ConflictError
	if !errors.Is(err, wire.ErrNotCommitted) || !errors.As(err, &conflict) || len(conflict.Ranges) != 1 || string(conflict.Ranges[0].Begin) != "a" {
		t.Fatalf("commit after a conflicting one: %v %+v", err, conflict)
	}
	if got := get(t, l, "b"); got != "(absent)" {
		t.Errorf("the refused write is there: %s", got)
	}
	loser.ReadVersion = readVersion(t, l)
	if _, err := l.Commit(ctx, loser); err != nil {
		t.Errorf("with a new read version: %v", err)
	}
}

func TestVersionstampsAreFilledIn(t *testing.T) {
	l := open(t, vfs.NewMem(), "data")
	defer closeStore(t, l)
	content := append(append([]byte("log/"), make([]byte, wire.StampBytes)...), 4, 0, 0, 0)
	req := setRequest(readVersion(t, l), "ignored", "")
	req.HasVersionstamps = true
	req.Mutations = wire.AppendMutation(nil, wire.Mutation{Type: wire.SetVersionstampedKey, Param1: content, Param2: []byte("entry")})
	reply, err := l.Commit(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, l, "log/"+string(reply.Stamp[:])); got != "entry" {
		t.Errorf("value under the stamped key: %s", got)
	}
}

func TestADirectoryInUseIsRefusedAndSaysByWhom(t *testing.T) {
	dir := t.TempDir()
	l := open(t, vfs.Default, dir)
	_, err := OpenLocal(context.Background(), LocalConfig{FS: vfs.Default, Dir: dir})
	if !errors.Is(err, wire.ErrDirectoryInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("C1: second open: %v", err)
	}
	if !strings.Contains(err.Error(), "share its handle") || strings.Contains(err.Error(), "another process") {
		t.Errorf("a process that opens a directory twice is told %v", err)
	}
	closeStore(t, l)
	closeStore(t, open(t, vfs.Default, dir))
}

func TestADirectoryOfANewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	closeStore(t, open(t, fs, "data"))
	d := &directory{fs: fs, path: "data"}
	for text, want := range map[string]error{
		formatPrefix + "2\n":      wire.ErrNewerFormat,
		"something else entirely": wire.ErrFileCorrupt,
		formatPrefix + "nonsense": wire.ErrFileCorrupt,
	} {
		if err := d.writeFile(formatFile, text); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: "data"}); !errors.Is(err, want) {
			t.Errorf("format file %q: %v, want %v", text, err, want)
		}
	}
	if err := fs.Remove("data/" + formatFile); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: "data"}); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Errorf("no format file beside a log: %v", err)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	l := open(t, vfs.NewMem(), "data")
	version := readVersion(t, l)
	closeStore(t, l)
	ctx := context.Background()
	_, err1 := l.ReadVersion(ctx, wire.ReadVersionRequest{})
	_, err2 := l.GetValues(ctx, &wire.GetValuesRequest{Version: version, Keys: [][]byte{{1}}})
	_, err3 := l.Commit(ctx, setRequest(version, "a", "b"))
	_, err4 := l.Watch(ctx, &wire.WatchRequest{Key: []byte("a"), Version: version})
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, wire.ErrDatabaseClosed) {
			t.Errorf("call %d after close: %v", i, err)
		}
	}
}

func TestEstimateBytesAsksTheStorageServerWhileTheStoreLives(t *testing.T) {
	l := open(t, vfs.NewMem(), "data")
	reply, err := l.Commit(context.Background(), setRequest(readVersion(t, l), "key", "value"))
	if err != nil {
		t.Fatal(err)
	}
	// A read at its version sees that it has been applied.
	if _, err := l.GetValues(context.Background(), &wire.GetValuesRequest{Version: reply.Version}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.EstimateBytes(context.Background(), nil, []byte("z")); err != nil || n != 8 {
		t.Errorf("about %d bytes, %v, want 8", n, err)
	}
	closeStore(t, l)
	if _, err := l.EstimateBytes(context.Background(), nil, []byte("z")); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("closed: %v", err)
	}
}
