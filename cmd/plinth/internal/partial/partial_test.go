package partial

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

const outputName = "/rows.txt"

// world is a store with rows, and the text that an export of it has.
type world struct {
	db   *kv.Database
	rows []wire.KeyValue
	text string
	// step is how much time each write takes.
	step time.Duration
}

// newWorld makes rows whose lines have at least so many bytes.
func newWorld(t *testing.T, lineBytes int) *world {
	store := fakestore.New()
	w := &world{db: kv.NewDatabase(store), step: noteEvery * 2 / 3}
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range 12 {
		store.Put(fmt.Sprintf("key%02d", i), strings.Repeat("\x00v", i)+strings.Repeat("v", lineBytes))
	}
	w.rows = store.Rows()
	for _, row := range w.rows {
		w.text += string(dump.Text.AppendLine(nil, row))
	}
	return w
}

// source is what all tests export.
func source() Source {
	return Source{Store: "a1", RowFormat: dump.Text, Begin: []byte{}, End: []byte{0xff}}
}

// export runs an export to its end, or to its first error.
func (w *world) export(t *testing.T, begin func() (*Output, dump.ExportCheckpoint, error)) error {
	out, from, err := begin()
	if err != nil {
		return err
	}
	clock := out.written
	out.now = func() time.Time {
		clock = clock.Add(w.step)
		return clock
	}
	_, err = dump.Export(t.Context(), w.db, out, dump.ExportOptions{
		Range: kv.AllKeys(), Format: dump.Text, From: from, Checkpoint: out.Reached, BufferBytes: 30,
	})
	if err == nil {
		err = out.Keep()
	}
	if err != nil {
		_, leaveErr := out.Leave()
		return errors.Join(err, leaveErr)
	}
	return nil
}

func (w *world) begin(t *testing.T, files FS) error {
	return w.export(t, func() (*Output, dump.ExportCheckpoint, error) {
		out, err := Begin(files, outputName, source())
		return out, dump.ExportCheckpoint{}, err
	})
}

func (w *world) resume(t *testing.T, files FS) error {
	return w.export(t, func() (*Output, dump.ExportCheckpoint, error) {
		return Resume(t.Context(), files, outputName, source())
	})
}

// complete reports whether the output has its name, and checks P1 then.
func (w *world) complete(t interface{ Fatalf(string, ...any) }, files *cutFS, when string) bool {
	text, err := files.read(outputName)
	if err == nil && string(text) != w.text {
		t.Fatalf("P1: %s the output is\n%s\nwant\n%s", when, text, w.text)
	}
	return err == nil
}

// checkEnd checks that the output is complete, alone, and can be imported.
func (w *world) checkEnd(t *testing.T, files *cutFS, when string) {
	t.Helper()
	if !w.complete(t, files, when) {
		t.Fatalf("%s there is no output", when)
	}
	if names, err := files.mem.List("/"); err != nil || !slices.Equal(names, []string{"rows.txt"}) {
		t.Fatalf("%s there are the files %v, %v", when, names, err)
	}
	other := fakestore.New()
	db := kv.NewDatabase(other)
	defer db.Close()
	text, err := files.read(outputName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dump.Import(t.Context(), db, bytes.NewReader(text), dump.ImportOptions{Range: kv.AllKeys()}); err != nil {
		t.Fatalf("%s the output cannot be imported: %v", when, err)
	}
	if !slices.EqualFunc(other.Rows(), w.rows, func(a, b wire.KeyValue) bool { return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value) }) {
		t.Fatalf("%s the imported rows are %v", when, other.Rows())
	}
}

// TestAnExportThatWasCutAnywhereGoesOn cuts at every change of a file: by an
// error, or by a loss of power that keeps nothing, or some, of what was not
// synced.
func TestAnExportThatWasCutAnywhereGoesOn(t *testing.T) {
	for _, kind := range []cutFS{{}, {lies: true}, {power: true}, {power: true, keepPercent: 50}} {
		for _, step := range []time.Duration{0, noteEvery * 2 / 3} {
			w := newWorld(t, 0)
			w.step = step
			for cut := 0; !w.cutAt(t, kind, cut); cut++ {
			}
		}
	}
}

// cutAt exports with a cut, and goes on. It reports whether the export was
// through before the cut.
func (w *world) cutAt(t *testing.T, kind cutFS, cut int) (through bool) {
	when := fmt.Sprintf("cut at change %d (lies %v, power %v)", cut, kind.lies, kind.power)
	files := newCutFS(cut)
	files.lies, files.power, files.keepPercent, files.rng = kind.lies, kind.power, kind.keepPercent, rand.New(rand.NewPCG(1, uint64(cut)))
	err := w.begin(t, files)
	if err == nil {
		w.checkEnd(t, files, when)
		w.complete(t, &cutFS{mem: files.mem.CrashClone(vfs.CrashCloneCfg{})}, "after a loss of power in the end")
		return true
	}
	if !errors.Is(err, errCut) {
		t.Fatalf("%s: %v", when, err)
	}
	files = files.repaired()
	if w.complete(t, files, when) {
		return false // It was cut behind its new name.
	}
	if err := w.resume(t, files); err != nil {
		t.Fatalf("%s: resumed: %v", when, err)
	}
	w.checkEnd(t, files, when)
	return false
}

// TestAnExportToAFullDiskKeepsWhatItCan gives the files any room, from none to
// enough, and then enough.
func TestAnExportToAFullDiskKeepsWhatItCan(t *testing.T) {
	const noteBytes = 330 // at most
	w := newWorld(t, noteBytes)
	w.step = 0 // The only note is that in the end.
	for room := 1; ; room += 101 {
		files := newCutFS(-1)
		files.roomBytes = room
		err := w.begin(t, files)
		if err == nil {
			w.checkEnd(t, files, "with enough room")
			return
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		files.roomBytes = 0
		n, err := readNote(files, noteName(outputName))
		// One note is there, and one takes its place, for which one write is given up.
		if enough := room > 4*noteBytes; enough && (err != nil || n.Rows == 0) {
			t.Errorf("room for %d bytes: %d rows are kept, %v", room, n.Rows, err)
		}
		if err := w.resume(t, files); err != nil {
			t.Fatalf("room for %d bytes: resumed: %v", room, err)
		}
		w.checkEnd(t, files, "resumed")
	}
}

// TestAnExportThatIsCutAgainAndAgainEnds draws the places.
func TestAnExportThatIsCutAgainAndAgainEnds(t *testing.T) {
	w := newWorld(t, 0)
	rapid.Check(t, func(r *rapid.T) {
		files := newCutFS(0)
		for attempt := 0; ; attempt++ {
			files.left = -1
			if attempt < 6 {
				files.left = rapid.IntRange(0, 60).Draw(r, "cut")
				files.power = rapid.Bool().Draw(r, "power")
				files.keepPercent = rapid.SampledFrom([]int{0, 30, 100}).Draw(r, "kept")
				files.rng = rand.New(rand.NewPCG(2, rapid.Uint64().Draw(r, "seed")))
			}
			err := w.resume(t, files)
			files = &cutFS{mem: files.repaired().mem}
			if w.complete(r, files, "after some cuts") {
				return
			}
			if !errors.Is(err, errCut) {
				r.Fatalf("attempt %d: %v", attempt, err)
			}
		}
	})
}
