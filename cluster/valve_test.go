package cluster

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// valve stops all writes to files below one directory of a store.
type valve struct {
	dir  string
	shut atomic.Bool
	free chan struct{} // closed when the writes go on, for good
	once sync.Once
}

func (v *valve) wrap(fs vfs.FS) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if v.shut.Load() && strings.HasPrefix(op.Path, "data/"+v.dir) && op.Kind.ReadOrWrite() != errorfs.OpIsRead {
			<-v.free
		}
		return nil
	}))
}

func (v *valve) open() {
	v.shut.Store(false)
	v.once.Do(func() { close(v.free) })
}

// openBehind opens a store whose writes below dir can be stopped.
func openBehind(t *testing.T, dir string) (*Local, *valve) {
	v := &valve{dir: dir, free: make(chan struct{})}
	l, err := OpenLocal(t.Context(), smallConfig(v.wrap(vfs.NewMem())))
	if err != nil {
		t.Fatal(err)
	}
	return l, v
}
