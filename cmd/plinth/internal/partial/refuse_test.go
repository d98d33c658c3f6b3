package partial

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
)

// stopped is an export that stopped behind some rows.
func (w *world) stopped(t *testing.T) *cutFS {
	t.Helper()
	files := newCutFS(40)
	if err := w.begin(t, files); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	files.left = -1
	if n, err := readNote(files, noteName(outputName)); err != nil || n.Rows == 0 || n.Rows == 12 {
		t.Fatalf("the export stopped at %+v, %v", n, err)
	}
	return files
}

func TestResumeRefusesWhatIsNotTheSameExport(t *testing.T) {
	w := newWorld(t, 0)
	files := w.stopped(t)
	before, err := files.read(Name(outputName))
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Source){
		"another store":                 func(s *Source) { s.Store = "b2" },
		"begun with --format text":      func(s *Source) { s.RowFormat = dump.JSON },
		"begun with another range":      func(s *Source) { s.Begin = []byte("a") },
		"with another range of keys":    func(s *Source) { s.End = []byte("z") },
		"it is not the export that was": func(s *Source) { *s = Source{} },
	} {
		other := source()
		change(&other)
		if _, _, err := Resume(t.Context(), files, outputName, other); !errors.Is(err, ErrOtherExport) || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if after, err := files.read(Name(outputName)); err != nil || string(after) != string(before) {
		t.Errorf("the partial file has changed from %q to %q, %v", before, after, err)
	}
	if err := w.resume(t, files); err != nil {
		t.Error(err)
	}
	w.checkEnd(t, files, "after the refusals")
}

func TestResumeRefusesWhatIsDamaged(t *testing.T) {
	w := newWorld(t, 0)
	note := noteName(outputName)
	for want, damage := range map[string]func(*cutFS){
		"are not those that were written": func(f *cutFS) { f.put(t, Name(outputName), strings.Repeat("x", 1000)) },
		"has 1 bytes,":                    func(f *cutFS) { f.put(t, Name(outputName), "k") },
		"is missing, which held":          func(f *cutFS) { f.remove(t, Name(outputName)) },
		"there is no note":                func(f *cutFS) { f.remove(t, note) },
		"does not say how far":            func(f *cutFS) { f.put(t, note, "{") },
		"has the format 7":                func(f *cutFS) { f.put(t, note, `{"format":7}`) },
		"tells of -1 rows":                func(f *cutFS) { f.put(t, note, `{"format":1,"rows":-1}`) },
	} {
		files := w.stopped(t)
		damage(files)
		if err := w.resume(t, files); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
		if _, err := Discard(files, outputName); err != nil {
			t.Error(err)
		}
		if err := w.begin(t, files); err != nil {
			t.Errorf("anew after %q: %v", want, err)
		}
		w.checkEnd(t, files, "anew after "+want)
	}
}

func (c *cutFS) remove(t *testing.T, name string) {
	t.Helper()
	if err := c.mem.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func TestBeginLeavesAnotherExportAlone(t *testing.T) {
	w := newWorld(t, 0)
	files := w.stopped(t)
	if err := w.begin(t, files); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), outputName+".partial holds ") {
		t.Errorf("begun anew: %v", err)
	}
	files.remove(t, noteName(outputName))
	if err := w.begin(t, files); !errors.Is(err, ErrUnfinished) {
		t.Errorf("begun anew without a note: %v", err)
	}
}

// TestResumeEndsWithItsContext leaves what is there for the next time.
func TestResumeEndsWithItsContext(t *testing.T) {
	w := newWorld(t, 0)
	files := w.stopped(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Resume(ctx, files, outputName, source()); !errors.Is(err, context.Canceled) {
		t.Errorf("resumed: %v", err)
	}
	if err := w.resume(t, files); err != nil {
		t.Error(err)
	}
	w.checkEnd(t, files, "after the interruption")
}

// TestAnOutputThatSomebodyElseWroteToIsNotKept changes the file meanwhile.
func TestAnOutputThatSomebodyElseWroteToIsNotKept(t *testing.T) {
	files := newCutFS(-1)
	out, err := Begin(files, outputName, source())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if err := out.Keep(); !errors.Is(err, ErrDamaged) {
		t.Errorf("kept: %v", err)
	}
	if at, err := out.Leave(); err != nil || at.Rows != 0 {
		t.Errorf("left: %+v, %v", at, err)
	}
	if names, err := files.mem.List("/"); err != nil || len(names) > 0 {
		t.Errorf("there are %v, %v", names, err)
	}
}

// TestTheDiskDoesWhatIsAskedOfIt holds the operating system's files to what the
// other tests have in memory.
func TestTheDiskDoesWhatIsAskedOfIt(t *testing.T) {
	files, name := Disk(), filepath.Join(t.TempDir(), "rows.txt")
	write := func(f File, err error, text string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write([]byte(text))
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := files.Create(name)
	write(f, err, "0123456789")
	if _, err := files.Create(name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made a second time: %v", err)
	}
	f, err = files.Append(name, 4)
	write(f, err, "x")
	if err := errors.Join(files.Rename(name, name+"2"), files.SyncNames(name)); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(name + "2"); err != nil || string(text) != "0123x" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if info, err := files.Stat(name + "2"); err != nil || info.Mode().Perm() != ownerOnly || info.Size() != 5 {
		t.Errorf("the file is %v, %v", info, err)
	}
	_, openErr := files.Open(name)
	_, appendErr := files.Append(name, 0)
	for _, err := range []error{openErr, appendErr, files.Remove(name)} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a file that is not there: %v", err)
		}
	}
}

// FuzzNote reads any text as a note: what it takes can be gone on with.
func FuzzNote(f *testing.F) {
	for _, text := range []string{
		"", "{", `{"format":1}`, `{"format":2}`, `{"format":1,"rows":2,"bytes":1}`, `{"format":1,"rows":1,"bytes":1,"last_key_base64":"AA=="}`,
		`{"format":1,"store":"a1","row_format":"text","begin_base64":"","end_base64":"/w==","rows":2,"bytes":30,"checksum":7,"last_key_base64":"YQ==","first_version":5,"last_version":6,"versions":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := parseNote("note", text)
		switch {
		case err != nil && !errors.Is(err, ErrDamaged):
			t.Fatalf("%q: %v", text, err)
		case err == nil && (n.Rows < 0 || n.Bytes < n.Rows):
			t.Fatalf("%q is taken as %+v", text, n)
		}
	})
}
