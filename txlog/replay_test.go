package txlog

import (
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
)

// The second reading of the log gives what a storage server would peek.
func TestSecondReadingGivesWhatAStorageServerPeeks(t *testing.T) {
	fs, _ := workedLog(t)
	n := openNode(t, fs)
	popped := n.server.Status().Popped
	want := map[wire.Tag][]wire.TaggedVersion{}
	for tag := range wire.Tag(2) {
		reply, err := n.server.Peek(t.Context(), wire.PeekRequest{Tag: tag, After: popped[tag]})
		if err != nil {
			t.Fatal(err)
		}
		want[tag] = reply.Versions
	}
	n.close()
	records := recordsOf(t, fs)
	var c Checker
	for _, r := range records {
		if _, ok, _ := c.Batch(0, r.rec, r.pos); ok {
			t.Fatal("a batch before Finish")
		}
		if err := c.Record(r.rec, r.pos); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := c.Finish(); err != nil {
		t.Fatal(err)
	}
	for tag := range wire.Tag(2) {
		rest := want[tag]
		last := wire.Version(0)
		for _, r := range records {
			v, ok, err := c.Batch(tag, r.rec, r.pos)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				continue
			}
			if v.Version <= last {
				t.Fatalf("tag %d: version %d after %d", tag, v.Version, last)
			}
			last = v.Version
			if len(v.Lists) == 0 || v.Version <= popped[tag] {
				continue
			}
			if len(rest) == 0 || rest[0].Version != v.Version || string(rest[0].Lists[0]) != string(v.Lists[0]) {
				t.Fatalf("tag %d: read version %d, which is not what is peeked next", tag, v.Version)
			}
			rest = rest[1:]
		}
		if len(rest) > 0 || last == 0 {
			t.Errorf("tag %d: %d versions were not read; the last one read is %d", tag, len(rest), last)
		}
	}
}
