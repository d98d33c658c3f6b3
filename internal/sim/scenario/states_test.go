package scenario

import (
	"errors"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

func TestOpenAndClosedStoresAreCompared(t *testing.T) {
	open := shown{newest: 30, sums: map[kv.Version]string{10: "a", 20: "b", 30: "c"}}
	at := func(sums map[kv.Version]string) world.States { return world.States{End: "c", At: sums} }
	for name, c := range map[string]struct {
		found world.States
		wrong bool
	}{
		"all the same":               {at(map[kv.Version]string{10: "a", 20: "b", 30: "c"}), false},
		"an engine in between":       {at(map[kv.Version]string{20: "b", 30: "c"}), false},
		"an engine at the end":       {at(nil), false},
		"another end":                {world.States{End: "d"}, true},
		"an unknown end":             {world.States{}, true},
		"another newest version":     {at(map[kv.Version]string{30: "d"}), true},
		"another version in between": {at(map[kv.Version]string{20: "a", 30: "c"}), true},
	} {
		_, w := world.New(t.Context(), 1, func([]byte) {})
		var violation *report.Violation
		err := (&storeRun{world: w}).compare(open, c.found)
		if wrong := errors.As(err, &violation) && violation.Invariant == "S8"; wrong != c.wrong || !wrong && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an open store shows at several versions differs if they do.
func TestRowsAreShownAtSeveralVersions(t *testing.T) {
	ctx, w := world.New(t.Context(), 1, func([]byte) {})
	d := disk.New(disk.Config{}, w.Rand("disk"), w.TraceLine)
	r := &storeRun{world: w, process: w.NewProcess("p", d, world.Driver{Open: func(h world.Host) (*kv.Database, world.Store, error) {
		db, store, err := embedded.Open(h.Dir, embedded.WithFS(h.FS))
		if err != nil {
			return nil, nil, err
		}
		return db, store, nil
	}})}
	if err := r.process.Boot(); err != nil {
		t.Fatal(err)
	}
	inc, err := r.process.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Transact(ctx, inc.DB(), func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte("k"), []byte("v"))
		return struct{}{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	s, err := r.show(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// Just before it there was nothing, unless the store has forgotten that.
	empty, full := 0, 0
	for version, sum := range s.sums {
		switch {
		case version == s.newest:
			full++
		case sum != s.sums[s.newest]:
			empty++
		}
	}
	if full != 1 || empty != len(s.sums)-1 {
		t.Errorf("of %d versions %d are the newest and %d differ: %v", len(s.sums), full, empty, s.sums)
	}
	if err := r.process.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	r.process.AwaitBurials()
}
