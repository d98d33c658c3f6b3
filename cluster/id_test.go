package cluster

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// lifeID opens the store, lets f do something with it, closes it and returns
// its id.
func lifeID(t *testing.T, fs vfs.FS, f func(l *Local)) wire.StoreID {
	t.Helper()
	l := open(t, fs, "data")
	defer closeStore(t, l)
	status, err := l.StoreStatus(context.Background())
	if err != nil || status.ID == (wire.StoreID{}) {
		t.Fatalf("id %x, error %v", status.ID, err)
	}
	if stored := get(t, l, wire.ClusterIDKey); stored != string(status.ID[:]) {
		t.Errorf("id %x, in the store is %x", status.ID, stored)
	}
	if f != nil {
		f(l)
	}
	return status.ID
}

// commitSystem commits a transaction that may write keys of the system.
func commitSystem(t *testing.T, l *Local, mutations ...wire.Mutation) {
	t.Helper()
	request := &wire.CommitRequest{ReadVersion: readVersion(t, l), HasSystemKeys: true}
	for _, m := range mutations {
		request.Mutations = wire.AppendMutation(request.Mutations, m)
		request.WriteConflicts = append(request.WriteConflicts, wire.SingleKey(m.Param1))
	}
	if _, err := l.Commit(context.Background(), request); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreKeepsItsIDAndNoOtherHasIt(t *testing.T) {
	fs := vfs.NewMem()
	id := lifeID(t, fs, nil)
	for range 2 {
		if again := lifeID(t, fs, nil); again != id {
			t.Errorf("id %x after opening again, it was %x", again, id)
		}
	}
	if other := lifeID(t, vfs.NewMem(), nil); other == id {
		t.Errorf("two stores have the id %x", id)
	}
}

// A store from before there were ids, or whose id a client has destroyed, opens
// with all its data, also while it is locked. It keeps the id that it gets.
func TestAStoreWithoutAnIDGetsOne(t *testing.T) {
	id := []byte(wire.ClusterIDKey)
	for name, destroy := range map[string]wire.Mutation{
		"absent":      {Type: wire.ClearRange, Param1: id, Param2: wire.KeyAfter(id)},
		"overwritten": {Type: wire.SetValue, Param1: id, Param2: []byte("no id")},
		"emptied":     {Type: wire.SetValue, Param1: id},
	} {
		fs := vfs.NewMem()
		first := lifeID(t, fs, func(l *Local) {
			commitSystem(t, l, destroy,
				wire.Mutation{Type: wire.SetValue, Param1: []byte("k"), Param2: []byte("v")},
				wire.Mutation{Type: wire.SetValue, Param1: []byte(wire.DatabaseLockedKey), Param2: make([]byte, wire.StampBytes+16)})
		})
		second := lifeID(t, fs, func(l *Local) {
			if value := get(t, l, "k"); value != "v" {
				t.Errorf("%s: k holds %s", name, value)
			}
		})
		if third := lifeID(t, fs, nil); second == first || third != second {
			t.Errorf("%s: ids %x, %x and %x", name, first, second, third)
		}
	}
}

// The process is killed, and the power fails, before every fourth operation that
// changes the disk: an id that was ever shown stays (C5).
func TestAnIDThatWasShownOutlivesACrash(t *testing.T) {
	for n := 1; ; n += 4 {
		disk := newMortal(vfs.NewCrashableMem(), n)
		l, err := OpenLocal(context.Background(), smallConfig(disk))
		var shown wire.StoreID
		switch {
		case err == nil:
			shown = l.id
			// Its error is that of the disk, if that has died by then.
			_ = l.Close()
		case !errors.Is(err, errKilled):
			t.Fatalf("operation %d: %v", n, err)
		}
		if !disk.died() {
			if n < 20 {
				t.Errorf("a life has %d operations", n)
			}
			return
		}
		if id := lifeID(t, disk.lost, nil); shown != (wire.StoreID{}) && id != shown {
			t.Errorf("the id %x was shown, after a crash at operation %d it is %x", shown, n, id)
		}
	}
}
