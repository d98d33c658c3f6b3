package txlog

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// begun returns a core that generation 1 has begun on at version 100.
func begun(t *testing.T) *Core {
	t.Helper()
	c := NewCore()
	if _, err := c.Lock(1, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Begin(2, 1, 0, 100); err != nil {
		t.Fatal(err)
	}
	return c
}

func appendBatch(t *testing.T, c *Core, index uint64, prev, version wire.Version) {
	t.Helper()
	if err := c.Append(index, &wire.AppendRequest{Generation: 1, Prev: prev, Version: version}, []wire.Tag{0}); err != nil {
		t.Fatal(err)
	}
}

// L3: what is known to be committed everywhere has been acknowledged. A recovery
// that would remove it, or that begins below what was handed out, changes
// nothing.
func TestARecoveryThatWouldLoseCommitsIsRefused(t *testing.T) {
	c := begun(t)
	appendBatch(t, c, 3, 100, 110)
	appendBatch(t, c, 4, 110, 120)
	c.LearnCommitted(1, 110)
	if _, err := c.Lock(5, 2); err != nil {
		t.Fatal(err)
	}
	before := c.state
	for _, bad := range []struct{ recovery, first wire.Version }{
		{105, 1000}, // below what is known committed
		{130, 1000}, // above the end
		{120, 120},  // begins at the end
		{110, 115},  // begins among what is cut
	} {
		if err := c.Begin(6, 2, bad.recovery, bad.first); !errors.Is(err, wire.ErrInternal) || c.state != before {
			t.Errorf("L3: begin at recovery version %d, first version %d: %v", bad.recovery, bad.first, err)
		}
	}
	if err := c.Begin(6, 2, 110, 1000); err != nil {
		t.Error(err)
	}
}

// L5: a storage server cannot have what the log does not hold yet.
func TestAPopBeyondTheEndDoesNotCoverWhatComesLater(t *testing.T) {
	c := begun(t)
	appendBatch(t, c, 3, 100, 110)
	c.Pop(0, 500)
	appendBatch(t, c, 4, 110, 120)
	if index := c.Forgettable(); index != 3 {
		t.Errorf("L5: the log can be cut up to entry %d, want 3", index)
	}
	if popped, known := c.Popped(0); popped != 110 || !known {
		t.Errorf("popped %d, %v", popped, known)
	}
	c.Pop(0, 50) // a pop that was late changes nothing
	if popped, _ := c.Popped(0); popped != 110 {
		t.Errorf("popped %d after a late pop", popped)
	}
}

// A generation that begins on a replica which has served one before starts a new
// order: its first batch waits for nobody.
func TestTheNextGenerationAppendsOnTheSameReplica(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	for range 3 {
		generation, first := n.begin(t)
		for i := range wire.Version(3) {
			if err := n.append(generation, first+i, first+i+1, 1, "text"); err != nil {
				t.Errorf("generation %d: %v", generation, err)
			}
		}
	}
	if got, _ := n.peekAll(t, 1, 0); len(got) != 9 {
		t.Errorf("%d of 9 batches are there", len(got))
	}
}

// The batches that wait for their predecessor are bounded.
func TestABatchTooManyThatIsEarlyIsRefused(t *testing.T) {
	var o orderer
	o.restart(100)
	early := func(i wire.Version) *arrival {
		return &arrival{req: &wire.AppendRequest{Prev: 200 + i, Version: 201 + i}}
	}
	for i := range wire.Version(maxEarly) {
		if ready, err := o.arrive(early(i)); len(ready) != 0 || err != nil {
			t.Fatalf("batch %d: %d are ready, %v", i, len(ready), err)
		}
	}
	if _, err := o.arrive(early(maxEarly)); !errors.Is(err, wire.ErrChainBroken) {
		t.Errorf("one batch too many: %v", err)
	}
	// What was waited for still goes through, and all others with it.
	ready, err := o.arrive(&arrival{req: &wire.AppendRequest{Prev: 100, Version: 200}})
	if len(ready) != maxEarly+1 || err != nil {
		t.Errorf("%d batches are ready, %v", len(ready), err)
	}
}

// An answer to a peek ends at its limit of bytes, but holds one batch at least,
// and says how far it is complete.
func TestAPeekKeepsItsLimitOfBytes(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, version := n.begin(t)
	for range 10 {
		if err := n.append(generation, version, version+1, 1, strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		version++
	}
	first := version - 10
	for limit, want := range map[int]int{1: 1, 1500: 1, 3500: 3, 0: 10} {
		reply, err := n.server.Peek(context.Background(), wire.PeekRequest{Tag: 1, After: first, LimitBytes: limit})
		if err != nil {
			t.Fatal(err)
		}
		if len(reply.Versions) != want || reply.Through != first+wire.Version(want) {
			t.Errorf("%d bytes: %d batches, complete through %d after %d, want %d", limit, len(reply.Versions), reply.Through, first, want)
		}
	}
}
