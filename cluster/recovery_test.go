package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// errKilled is what a process that was killed gets from its disk.
var errKilled = errors.New("the process was killed")

// mortal is the disk of a process that dies before the Nth operation that
// changes it. Nothing that the process still tries reaches the disk.
type mortal struct {
	vfs.FS
	trap trap
	// lost is what a loss of power at that moment leaves; nil if the process
	// has not died.
	lost *vfs.MemFS
}

func newMortal(fs *vfs.MemFS, n int) *mortal {
	m := &mortal{}
	m.trap.fails = func(count int, _ errorfs.Op) error {
		if count < n {
			return nil
		}
		if m.lost == nil {
			m.lost = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * (n % 3), RNG: rand.New(rand.NewPCG(2, uint64(n)))})
		}
		return errKilled
	}
	m.FS = m.trap.wrap(fs)
	return m
}

func (m *mortal) died() bool {
	m.trap.mu.Lock()
	defer m.trap.mu.Unlock()
	return m.lost != nil
}

// promises is what clients were told in all lives of a store.
type promises struct {
	sync.Mutex
	// version is the newest one that was acknowledged or handed out.
	version wire.Version
	acked   map[string]string
	keys    int
}

// keep opens the store and holds it to what was promised before; then it
// commits, which promises more. It returns the error of a life that was cut
// short.
func (p *promises) keep(t *testing.T, fs vfs.FS) error {
	t.Helper()
	ctx := context.Background()
	l, err := OpenLocal(ctx, smallConfig(fs))
	if err != nil {
		return err
	}
	// Its error is that of the disk, if that has died by then.
	defer func() { _ = l.Close() }()
	for range 2 {
		reply, err := l.ReadVersion(ctx, wire.ReadVersionRequest{})
		if err != nil {
			return err
		}
		if reply.Version < p.version {
			t.Errorf("T1: read version %d, but %d was acknowledged or handed out before", reply.Version, p.version)
		}
		p.version = max(p.version, reply.Version)
		for key, want := range p.acked {
			values, err := l.GetValues(ctx, &wire.GetValuesRequest{Version: reply.Version, Keys: [][]byte{[]byte(key)}})
			if err != nil {
				return err
			}
			if string(values.Values[0]) != want {
				t.Errorf("%s is %q, acknowledged was %q", key, values.Values[0], want)
			}
		}
		p.keys++
		key := fmt.Sprint("key", p.keys)
		commit, err := l.Commit(ctx, setRequest(reply.Version, key, key))
		if err != nil {
			return err
		}
		if commit.Version <= p.version {
			t.Errorf("S1: commit at version %d, but %d was acknowledged or handed out before", commit.Version, p.version)
		}
		p.version, p.acked[key] = commit.Version, key
	}
	return nil
}

// A store, a new one and one with some commits in it, is opened three times. The
// first process is killed before the Nth operation that changes the disk, for
// every N; the second one is killed, or the power fails, before the Mth. The
// third finds everything that was promised, and no version comes twice.
func TestTwoLivesCutShortAtAnyOperationsBreakNoPromise(t *testing.T) {
	for _, made := range []bool{false, true} {
		for n, more := 1, true; more; n += stride() {
			// Every M comes up with some N.
			for m, again := 1+n%matrixStride, true; more && again; m += matrixStride {
				more, again = twoShortLives(t, made, n, m)
				if t.Failed() {
					t.Fatalf("the first life ended before operation %d, the second before operation %d; the store was made before: %v", n, m, made)
				}
			}
		}
	}
}

// matrixStride is how many operations the ends of the second life are apart: a
// prime, so that all kinds of endings come up.
const matrixStride = 83

// twoShortLives cuts two lives short, by a kill and by a kill or a loss of
// power. It says whether each of them ended early.
func twoShortLives(t *testing.T, made bool, n, m int) (first, second bool) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	p := &promises{acked: make(map[string]string)}
	if made {
		if err := p.keep(t, fs); err != nil {
			t.Fatalf("without any fault: %v", err)
		}
	}
	for i, at := range []int{n, m} {
		disk := newMortal(fs, at)
		err := p.keep(t, disk)
		if err != nil && !errors.Is(err, errKilled) && !disk.died() {
			t.Errorf("life %d: %v", i+1, err)
		}
		awaitNoGoroutines(t)
		switch i {
		case 0:
			first = disk.died()
		case 1:
			if second = disk.died(); second && (n+m)%2 == 0 {
				fs = disk.lost
			}
		}
	}
	if err := p.keep(t, fs); err != nil {
		t.Errorf("the last life: %v", err)
	}
	awaitNoGoroutines(t)
	return first, second
}
