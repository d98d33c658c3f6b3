package txlog

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestSegmentsOfManyShortLivesAreGivenUp(t *testing.T) {
	fs := vfs.NewMem()
	most := 0
	for range 30 {
		n := openNode(t, fs)
		end := n.server.Status().End
		generation, first := n.begin(t)
		// As a storage server does: what it replayed is soon on its disk.
		if err := n.server.Pop(context.Background(), 7, end); err != nil {
			t.Fatal(err)
		}
		// When this is on disk, so is the checkpoint before it.
		if err := n.append(generation, first, first+1, 7, "little"); err != nil {
			t.Fatal(err)
		}
		most = max(most, n.log.Stats().Segments)
		n.close()
	}
	if most > 5 {
		t.Errorf("the log grew to %d segments in 30 lives of one small batch each", most)
	}
}
