package storage_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
	"pgregory.net/rapid"
)

// configurations are ways to run the same history: the answers must be the
// same, except that some forget old versions sooner.
var configurations = []struct {
	name   string
	change func(*storage.Config)
}{
	{"EverythingInTheWindow", func(*storage.Config) {}},
	{"EverythingInTheEngine", func(c *storage.Config) {
		c.WindowVersions, c.StepVersions, c.FlushInterval = 1, 1, time.Millisecond
	}},
	{"ShortWindow", func(c *storage.Config) { c.WindowVersions, c.StepVersions, c.FlushInterval = 200, 50, time.Millisecond }},
	{"TinyWindowBytes", func(c *storage.Config) { c.WindowBytes, c.PeekBytes = 4<<10, 1<<10 }},
	{"TinyMemTables", func(c *storage.Config) { c.MemTableBytes, c.WindowVersions, c.StepVersions = 32<<10, 400, 200 }},
	{"NoCacheSmallReplies", func(c *storage.Config) { c.CacheBytes, c.PeekBytes, c.WindowVersions, c.StepVersions = 1, 1, 300, 10 }},
}

// run is one server under a history, with the disk and the log that outlive
// it.
type run struct {
	fs     *vfs.MemFS
	log    *fakeLog
	model  *model
	change func(*storage.Config)
	s      *storage.Server
}

func (r *run) open(t *rapid.T) {
	cfg := storage.Config{FS: r.fs, Dir: "db", Tag: 7, Log: r.log, ReadWait: time.Minute}
	r.change(&cfg)
	var err error
	if r.s, err = storage.Open(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
}

func (r *run) close(t *rapid.T) {
	if err := r.s.Close(); err != nil {
		t.Fatal(err)
	}
}

// write adds a few versions.
func (r *run) write(t *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(t, "versions") {
		version := r.model.newest() + rapid.SampledFrom([]wire.Version{1, 10, 100, 100_000_000}).Draw(t, "step")
		list := rapid.SliceOfN(rapid.Custom(drawMutation), 0, 8).Draw(t, "mutations")
		r.model.apply(version, list)
		if cut := len(list) / 2; len(list) == 0 {
			r.log.reach(version)
		} else {
			r.log.appendLists(version, mutations(list[:cut]...), mutations(list[cut:]...))
		}
	}
}

// restart closes the server properly and opens it again.
func (r *run) restart(t *rapid.T) {
	r.close(t)
	r.open(t)
}

// reopen does one or the other: opening is what takes time here.
func (r *run) reopen(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "gently") == 0 {
		r.restart(t)
	} else {
		r.crash(t)
	}
}

// crash goes on from what a power failure leaves of the disk at some moment.
func (r *run) crash(t *rapid.T) {
	seed := rapid.Uint64().Draw(t, "seed")
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "kept"), RNG: rand.New(rand.NewPCG(seed, 0))}
	if rapid.Bool().Draw(t, "settled") {
		r.settle(t)
	}
	r.log.freeze(true)
	after := r.fs.CrashClone(cfg)
	r.close(t)
	r.fs = after
	r.log.freeze(false)
	r.open(t)
}

// settle waits until the newest version is applied.
func (r *run) settle(t *rapid.T) { r.values(t, r.model.newest(), []string{"k"}) }

func (r *run) drawVersion(t *rapid.T) wire.Version {
	last := len(r.model.versions) - 1
	return r.model.versions[max(0, last-rapid.IntRange(0, 12).Draw(t, "versions back"))]
}

// accept reports whether err is a proper answer for version: nil, or too old
// when that is true.
func (r *run) accept(t *rapid.T, version wire.Version, err error) bool {
	if err == nil {
		return true
	}
	if !errors.Is(err, wire.ErrTransactionTooOld) || version >= r.s.OldestReadable() || version == r.model.newest() {
		t.Fatalf("version %d (readable %d to %d): %v", version, r.s.OldestReadable(), r.s.Version(), err)
	}
	return false
}

func (r *run) values(t *rapid.T, version wire.Version, keys []string) {
	req := &wire.GetValuesRequest{Version: version}
	for _, key := range keys {
		req.Keys = append(req.Keys, []byte(key))
	}
	reply, err := r.s.GetValues(context.Background(), req)
	if !r.accept(t, version, err) {
		return
	}
	for i, key := range keys {
		want, there := r.model.states[version][key]
		if got := reply.Values[i]; (got != nil) != there || string(got) != want {
			t.Fatalf("key %q at %d: got %.20q (present %t), want %.20q (present %t)", key, version, got, got != nil, want, there)
		}
	}
}

func (r *run) get(t *rapid.T) {
	r.values(t, r.drawVersion(t), rapid.SliceOfN(drawnKeys, 1, 6).Draw(t, "keys"))
}

func (r *run) scan(t *rapid.T) {
	begin, end := drawRange(t)
	req := wire.GetRangeRequest{
		Version: r.drawVersion(t), Begin: []byte(begin), End: []byte(end), Reverse: rapid.Bool().Draw(t, "reverse"),
		LimitRows: rapid.IntRange(0, 4).Draw(t, "rows"), LimitBytes: rapid.SampledFrom([]int{0, 1, 30}).Draw(t, "bytes"),
	}
	reply, err := r.s.GetRange(context.Background(), &req)
	if !r.accept(t, req.Version, err) {
		return
	}
	want, more := limited(r.model.rows(req.Version, begin, end, req.Reverse), req.LimitRows, req.LimitBytes)
	equal := len(want) == len(reply.Rows) && more == reply.More
	for i := 0; equal && i < len(want); i++ {
		equal = bytes.Equal(want[i].Key, reply.Rows[i].Key) && bytes.Equal(want[i].Value, reply.Rows[i].Value)
	}
	if !equal {
		t.Fatalf("%+v: got %d rows %.200q more %t, want %d rows %.200q more %t", req, len(reply.Rows), reply.Rows, reply.More, len(want), want, more)
	}
}

func (r *run) selectKey(t *rapid.T) {
	req := wire.GetKeyRequest{Version: r.drawVersion(t), Selector: wire.KeySelector{
		Key: []byte(drawnKeys.Draw(t, "key")), OrEqual: rapid.Bool().Draw(t, "orEqual"), Offset: rapid.IntRange(-4, 5).Draw(t, "offset"),
	}}
	reply, err := r.s.GetKey(context.Background(), &req)
	if !r.accept(t, req.Version, err) {
		return
	}
	if want := r.model.key(req.Version, req.Selector); !bytes.Equal(reply.Key, want) {
		t.Fatalf("%+v: got %q, want %q", req, reply.Key, want)
	}
}

func TestTheServerAgreesWithAPlainModelInEveryConfiguration(t *testing.T) {
	// A generator notes its text when it is first asked for it, while others that
	// run beside it read that without a lock: so ask for it before.
	_, _ = drawnKeys.String(), drawnValues.String()
	for _, c := range configurations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				r := &run{fs: vfs.NewCrashableMem(), log: newFakeLog(), model: newModel(), change: c.change}
				r.open(t)
				defer func() { r.s.Close() }()
				t.Repeat(map[string]func(*rapid.T){
					"write": r.write, "writeMore": r.write, "writeMost": r.write,
					"get": r.get, "getMore": r.get, "getMost": r.get,
					"scan": r.scan, "scanMore": r.scan, "scanMost": r.scan,
					"select": r.selectKey,
					"reopen": r.reopen,
				})
				r.settle(t)
				r.close(t)
			})
		})
	}
}
