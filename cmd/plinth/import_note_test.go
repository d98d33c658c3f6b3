package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/partial"
	"github.com/plinthdb/plinth/kv"
)

// manyRows is n lines of text of about ten kilobytes each.
func manyRows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%06d\t%s%d\n", i, strings.Repeat("v", 10_000), i)
	}
	return b.String()
}

// killImport imports the lines with a process of its own, which is killed when
// it has read all of them, and waits for more.
func killImport(t *testing.T, dir, text string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "import", "--dir", dir, "-")
	child.Env = append(os.Environ(), actAsPlinth+"=1")
	var errOut bytes.Buffer
	child.Stderr = &errOut
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// What it has taken from the pipe is far more than it may have in flight, so
	// some is committed, and noted.
	_, err = in.Write([]byte(text))
	if err := errors.Join(err, child.Process.Kill()); err != nil {
		t.Fatalf("%v: %s", err, errOut.String())
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the import was not killed but ended with %v: %s", err, errOut.String())
	}
}

func TestAnImportThatWasKilledGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "rows.txt")
	first, rest := manyRows(1300), "key000000\tset again\nlast\tline\n"
	killImport(t, data, first)
	if err := os.WriteFile(file, []byte(first+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "", "check", data)
	// Somebody removes the first row, which must not come back from its line.
	mustRun(t, "", "shell", "--dir", data, "--exec", "clear key000000; clear key000001")

	out, errOut := mustRun(t, "", "import", "--dir", data, "--resume", "--json", file)
	var report dump.ImportReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.ResumedAfterLine < 100 || report.Lines != 1302 || report.ImportedToLine != 1302 || report.Rows != 1302-report.ResumedAfterLine {
		t.Errorf("report %+v", report)
	}
	if want := fmt.Sprintf("going on behind line %d\n", report.ResumedAfterLine); !strings.Contains(errOut, want) {
		t.Errorf("no %q in %q", want, errOut)
	}
	lines := strings.SplitAfter(first, "\n")
	want := "key000000\tset again\n" + strings.Join(lines[2:], "") + "last\tline\n"
	if got, _ := mustRun(t, "", "export", "--dir", data, "-"); got != want {
		t.Errorf("the store holds %d bytes, not the %d of the rows", len(got), len(want))
	}
	if _, err := os.Stat(filepath.Join(data, importNoteName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the note is still there after a complete import: %v", err)
	}
}

func TestResumeRefusesWhatWasNotBegun(t *testing.T) {
	dir := t.TempDir()
	importWith := func(text string, args ...string) (int, string) {
		status, _, errOut := plinthWith(t, text, append([]string{"import", "--dir", dir, "-"}, args...)...)
		return status, errOut
	}
	if status, errOut := importWith("a\t1\n", "--resume"); status != statusOK || !strings.Contains(errOut, "beginning at the first line") {
		t.Errorf("resuming nothing: exit status %d, %q", status, errOut)
	}
	const stopped = "a\t1\nb\t2\nno tab\nc\t3\n"
	if status, errOut := importWith(stopped); status != statusFailed || !strings.Contains(errOut, "up to line 2. None behind it is.") {
		t.Errorf("a bad line: exit status %d, %q", status, errOut)
	}
	for want, c := range map[string]struct {
		text string
		args []string
	}{
		"its first 2 lines differ":   {"a\t1\nb\t3\nc\t3\n", nil},
		"it has 1 lines, 2 were":     {"a\t1\n", nil},
		"begun with --format text":   {stopped, []string{"--format", "json"}},
		"with another range of keys": {stopped, []string{"--prefix", "a"}},
		"line 3: no tab":             {stopped, nil},
	} {
		if status, errOut := importWith(c.text, append(c.args, "--resume")...); status != statusFailed || !strings.Contains(errOut, want) {
			t.Errorf("exit status %d, no %q in %q", status, want, errOut)
		}
	}
	// The line was mended.
	mended := strings.Replace(stopped, "no tab", "tab\t", 1)
	if status, errOut := importWith(mended, "--resume"); status != statusOK || !strings.Contains(errOut, "going on behind line 2") {
		t.Errorf("the mended file: exit status %d, %q", status, errOut)
	}
	if out, _ := mustRun(t, "", "export", "--dir", dir, "-"); out != "a\t1\nb\t2\nc\t3\ntab\t\n" {
		t.Errorf("the store holds %q", out)
	}
}

func TestADamagedNoteIsNoObstacle(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, "a\t1\n", "import", "--dir", dir, "-")
	note := filepath.Join(dir, importNoteName)
	for _, text := range []string{"{", `{"format":2}`} {
		if err := os.WriteFile(note, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, _, errOut := plinthWith(t, "a\t1\n", "import", "--dir", dir, "--resume", "-")
		if status != statusFailed || !strings.Contains(errOut, note) || !strings.Contains(errOut, "without --resume") {
			t.Errorf("note %q: exit status %d, %q", text, status, errOut)
		}
		mustRun(t, "a\t1\n", "import", "--dir", dir, "-")
	}
}

func TestBadLinesBeforeTheCheckpointStillCount(t *testing.T) {
	dir := t.TempDir()
	note := newImportNote(dir, "-", rowFlags{keys: kv.AllKeys(), format: rowFormat{value: dump.Text}})
	mustRun(t, "", "import", "--dir", dir, "-")
	status, _, errOut := interruptSilentPipe(t, "bad\na\t1\n", "import", "--dir", dir, "--on-error", "continue", "-")
	if status != statusInterrupted || !strings.Contains(errOut, "line 1: no tab") {
		t.Errorf("exit status %d, %q", status, errOut)
	}
	if content, err := note.read(); err != nil || content.Line != 2 || content.BadLines != 1 {
		t.Errorf("the note says %+v, %v", content, err)
	}
	status, _, errOut = plinthWith(t, "bad\na\t1\nb\t2\n", "import", "--dir", dir, "--on-error", "continue", "--resume", "-")
	if status != statusFailed || !strings.Contains(errOut, "1 bad line could not be imported") {
		t.Errorf("exit status %d, %q", status, errOut)
	}
	status, _, errOut = plinthWith(t, "b\t2\n", "import", "--dir", dir, "--resume", "-")
	if status != statusOK || !strings.Contains(errOut, "no import into this store has stopped") {
		t.Errorf("after a complete import: exit status %d, %q", status, errOut)
	}
}

func TestTheNoteIsWrittenOnceASecondAndInTheEnd(t *testing.T) {
	note := newImportNote(t.TempDir(), "rows.txt", rowFlags{keys: kv.AllKeys(), format: rowFormat{value: dump.Text}})
	now := time.Unix(1_000_000, 0)
	note.now = func() time.Time { return now }
	for i, want := range []int64{1, 1, 1, 4, 4} {
		if err := note.reached(dump.Checkpoint{Line: int64(i + 1)}); err != nil {
			t.Fatal(err)
		}
		if content, err := note.read(); err != nil || content.Line != want {
			t.Errorf("after line %d the note says %d, %v, want %d", i+1, content.Line, err, want)
		}
		now = now.Add(importNoteEvery * 2 / 5)
	}
	if err := note.end(false); err != nil {
		t.Fatal(err)
	}
	if content, err := note.read(); err != nil || content.Line != 5 {
		t.Errorf("in the end the note says %d, %v", content.Line, err)
	}
	if err := errors.Join(note.end(true), note.end(true)); err != nil {
		t.Error(err)
	}
	names, err := os.ReadDir(filepath.Dir(note.path))
	if err != nil || len(names) > 0 {
		t.Errorf("%v is left, %v", names, err)
	}
}

// recordingFiles are the disk's, and record what makes changes durable.
type recordingFiles struct {
	partial.FS
	calls *[]string
}

func (f recordingFiles) Rename(from, to string) error {
	*f.calls = append(*f.calls, "rename")
	return f.FS.Rename(from, to)
}

func (f recordingFiles) Remove(name string) error {
	err := f.FS.Remove(name)
	if err == nil {
		*f.calls = append(*f.calls, "remove "+filepath.Base(name))
	}
	return err
}

func (f recordingFiles) SyncNames(name string) error {
	*f.calls = append(*f.calls, "sync")
	return f.FS.SyncNames(name)
}

// TestTheNoteOfAnEarlierImportCannotComeBack looks at what is made durable before
// an import begins and after it has ended: a note that a loss of power brings back
// would tell of lines that are not imported.
func TestTheNoteOfAnEarlierImportCannotComeBack(t *testing.T) {
	note := newImportNote(t.TempDir(), "rows.txt", rowFlags{keys: kv.AllKeys(), format: rowFormat{value: dump.Text}})
	var calls []string
	note.files = recordingFiles{note.files, &calls}
	reached := func() {
		t.Helper()
		note.stale = true
		if err := note.end(false); err != nil {
			t.Fatal(err)
		}
	}
	reached()
	var out bytes.Buffer
	if _, err := note.begin(&out, false); err != nil || !strings.Contains(out.String(), "an earlier import, of rows.txt") {
		t.Errorf("begun: %v, %q", err, out.String())
	}
	reached()
	if err := note.end(true); err != nil {
		t.Error(err)
	}
	want := []string{"rename", "sync", "remove IMPORT", "sync", "rename", "sync", "remove IMPORT", "sync"}
	if !slices.Equal(calls, want) {
		t.Errorf("the calls are %q, want %q", calls, want)
	}
}
