package scenario

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// newDamageRun returns a run of a process whose disk has wrong bits or not.
func newDamageRun(t *testing.T, flipped bool) *storeRun {
	t.Helper()
	_, w := world.New(t.Context(), 1, func([]byte) {})
	swarm := Draw(rand.New(rand.NewPCG(1, 0)))
	r := &storeRun{world: w, swarm: swarm, disk: NewDisk(w, swarm)}
	r.process = w.NewProcess("p", r.disk, world.Driver{})
	if !flipped {
		return r
	}
	f, err := r.disk.Mount().Create("/f", vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write([]byte("some bits"))
	}
	if err := errors.Join(err, f.Sync()); err != nil {
		t.Fatal(err)
	}
	if !r.disk.Rot(isLog) {
		t.Fatal("nothing could rot")
	}
	return r
}

func TestOnlyADiskWithWrongBitsMayBeCalledDamagedAndByName(t *testing.T) {
	named := kv.ErrFileCorrupt.With("file /store/x is corrupt")
	nameless := kv.ErrFileCorrupt.With("something is corrupt")
	other := errors.New("no")
	for _, c := range []struct {
		name     string
		flipped  bool
		err      error
		violated bool
		returned bool
	}{
		{"sound and damaged", false, named, true, true},
		{"flipped and damaged", true, named, false, false},
		{"flipped and a newer format", true, kv.ErrNewerFormat.With("/store/FORMAT is newer"), false, false},
		{"flipped without a name", true, nameless, true, true},
		{"flipped and something else", true, other, false, true},
		{"sound and something else", false, other, false, true},
	} {
		r := newDamageRun(t, c.flipped)
		err := r.judgeDamage(c.err)
		var violation *report.Violation
		violated := errors.As(err, &violation) && violation.Invariant == "S6"
		if violated != c.violated || (err != nil) != c.returned || (r.world.Violation() != nil) != c.violated {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAPhaseEndsWithItsTimeOrWithTheDisk(t *testing.T) {
	r := newDamageRun(t, false)
	r.damaged = make(chan error, 1)
	r.swarm.LostDisks = 0
	if lost, err := r.suffer(t.Context(), 1); lost || err != nil {
		t.Errorf("a phase of a nanosecond ended with %v (%v)", lost, err)
	}
	r.damaged <- errors.New("damage")
	if lost, err := r.suffer(t.Context(), 1<<62); !lost || err != nil {
		t.Errorf("damage ended the phase with %v (%v)", lost, err)
	}
	r.swarm.LostDisks = 1
	if lost, err := r.suffer(t.Context(), 1<<62); !lost || err != nil {
		t.Errorf("the loss of the disk ended the phase with %v (%v)", lost, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.swarm.LostDisks = 0
	if _, err := r.suffer(ctx, 1<<62); !errors.Is(err, context.Canceled) {
		t.Errorf("the end of the run ended the phase with %v", err)
	}
}
