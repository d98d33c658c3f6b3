package wal

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A process that was killed after it had made the log's directory, and before
// its name was on disk, left it to the next one. That one took the name for
// granted, and a loss of power took the log with all that was acknowledged.
func TestADirectoryThatAKilledProcessMadeIsPutOnDisk(t *testing.T) {
	const dir = "/a/b/c/wal"
	for n := 1; ; n++ {
		fs := vfs.NewCrashableMem()
		count := 0
		killed := &faultFS{FS: fs, hook: func(operation) (int, error) {
			if count++; count >= n {
				return 0, errCrashed
			}
			return 0, nil
		}}
		o := smallOptions(killed)
		o.Dir = dir
		first, err := Open(o)
		if err == nil {
			if err := first.Close(); err == nil {
				return // nothing was killed any more
			}
		}
		o.FS = fs
		l, _ := reopen(t, o)
		for i := range uint64(3) {
			if _, err := l.Append(nil, []Record{makeRecord(i)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		o.FS = fs.CrashClone(vfs.CrashCloneCfg{})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, kept := reopen(t, o)
		if err := checkRun(kept, 0); err != nil || len(kept) != 3 {
			t.Errorf("killed before operation %d: %d of 3 synced records are there after the loss of power: %v", n, len(kept), err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
