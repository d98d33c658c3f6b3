package kv_test

import (
	"errors"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
)

// player is one of several transactions that take turns.
type player struct {
	tx *kv.Transaction
	// steps replays what the transaction did on a world, and returns the read
	// that did not come out as it had, if any.
	steps []func(*oracle.Rows) string
	done  bool
}

// TestCommittedTransactionsAreSerializable lets several transactions take turns
// and then replays those that were committed one after the other, in the order
// of their commits: every read that is no snapshot read must come out the same.
func TestCommittedTransactionsAreSerializable(t *testing.T) {
	committed, refused := 0, 0
	checkUntil(t, func() bool { return committed > 0 && refused > 0 }, func(t *rapid.T) {
		playSerially(t, &committed, &refused)
	})
	if committed == 0 || refused == 0 {
		t.Fatalf("%d commits, %d conflicts: nothing was tested", committed, refused)
	}
}

// playSerially plays one game, and counts its commits and conflicts.
func playSerially(t *rapid.T, committed, refused *int) {
	base := bases.Draw(t, "base")
	store := load(base)
	store.MaxRows = rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "max rows")
	db := kv.NewDatabase(store)
	defer db.Close()
	serial := oracle.New(base)
	players := make([]*player, 3)
	for i := range players {
		players[i] = &player{tx: db.Begin(background)}
		defer players[i].tx.Cancel()
	}
	for range rapid.IntRange(5, 40).Draw(t, "turns") {
		p := rapid.SampledFrom(players).Draw(t, "player")
		if p.done {
			continue
		}
		if rapid.IntRange(0, 5).Draw(t, "action") > 0 {
			p.step(t)
			continue
		}
		p.done = true
		err := p.tx.Commit()
		if errors.Is(err, kv.ErrNotCommitted) {
			*refused++
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if _, err := p.tx.CommittedVersion(); err != nil {
			continue // wrote nothing, so it is serial at its read version
		}
		*committed++
		for _, replay := range p.steps {
			if text := replay(serial); text != "" {
				t.Fatal(text)
			}
		}
	}
	stored := map[string]string{}
	for _, row := range store.Rows() {
		stored[string(row.Key)] = string(row.Value)
	}
	if !maps.Equal(stored, serial.Values) {
		t.Fatalf("stored %q, in a row %q", stored, serial.Values)
	}
}

// step does a random read or write and remembers it.
func (p *player) step(t *rapid.T) {
	if rapid.Bool().Draw(t, "is write") {
		w := drawWrite(t, false)
		w.issue(p.tx)
		p.steps = append(p.steps, func(serial *oracle.Rows) string {
			w.apply(serial)
			return ""
		})
		return
	}
	r := drawRead(t)
	got := r.issue(p.tx)()
	p.steps = append(p.steps, func(serial *oracle.Rows) string {
		if want := r.expect(serial); got != want {
			return r.text + "\n got " + got + "\nwant " + want
		}
		return ""
	})
}
