package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/partial"
)

// interruptingFiles are the disk's, and interrupt a command at its first write
// to a partial file.
type interruptingFiles struct {
	partial.FS
	interrupt func()
}

func (f interruptingFiles) Create(name string) (partial.File, error) {
	file, err := f.FS.Create(name)
	if strings.HasSuffix(name, ".partial") && err == nil {
		return interruptingFile{file, f.interrupt}, nil
	}
	return file, err
}

type interruptingFile struct {
	partial.File
	interrupt func()
}

func (f interruptingFile) Write(p []byte) (int, error) {
	f.interrupt()
	return f.File.Write(p)
}

// interruptExport exports, and interrupts that at its first write.
func interruptExport(t *testing.T, args ...string) (status int, errOut string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	env := &environment{}
	export := newExportTo(env, interruptingFiles{partial.Disk(), interrupt})
	var out, errs bytes.Buffer
	status = execute(ctx, env, newRootCommand(env, export), append([]string{"export"}, args...), strings.NewReader(""), &out, &errs)
	return status, errs.String()
}

// bigStore makes a store whose export takes several writes, and returns its
// directory and the lines of its rows.
func bigStore(t *testing.T) (dir, lines string) {
	t.Helper()
	dir, lines = filepath.Join(t.TempDir(), "data"), manyRows(60)
	mustRun(t, lines, "import", "--dir", dir, "-")
	return dir, lines
}

func TestAnInterruptedExportSaysHowToGoOnAndDoes(t *testing.T) {
	data, lines := bigStore(t)
	file := filepath.Join(t.TempDir(), "it's rows.txt")
	status, errOut := interruptExport(t, "--dir", data, "--prefix", "key", file)
	goOn := "plinth export --dir=" + data + " --prefix=key --resume '" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	for _, want := range []string{"are kept in " + file + ".partial. To go on there:\n  " + goOn + "\n", "plinth: interrupted\n"} {
		if status != statusInterrupted || !strings.Contains(errOut, want) {
			t.Errorf("exit status %d, no %q in %q", status, want, errOut)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file has its name already")
	}
	status, _, errOut = plinthWith(t, "", "export", "--dir", data, "--prefix", "key", file)
	if status != statusFailed || !strings.Contains(errOut, "--resume goes on with it, --overwrite removes it") {
		t.Errorf("begun anew: exit status %d, %q", status, errOut)
	}

	out, errOut := mustRun(t, "", "export", "--dir", data, "--prefix", "key", "--resume", "--json", file)
	var report dump.ExportReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Rows != 60 || report.ResumedAfterRow == 0 || report.Versions != 2 {
		t.Errorf("reported %q, %v", out, err)
	}
	if !strings.Contains(errOut, "plinth: going on behind ") {
		t.Errorf("printed %q", errOut)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != lines {
		t.Errorf("exported %d bytes of %d, %v", len(text), len(lines), err)
	}
	if left, err := filepath.Glob(file + ".*"); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	mustRun(t, "", "import", "--dir", copied, file)
	if out, _ := mustRun(t, "", "export", "--dir", copied, "-"); out != lines {
		t.Errorf("the copy holds %d bytes of %d", len(out), len(lines))
	}
}

func TestAnExportIsResumedOnlyAsItWasBegun(t *testing.T) {
	data, _ := bigStore(t)
	other, _ := bigStore(t)
	file := filepath.Join(t.TempDir(), "rows.txt")
	if status, errOut := interruptExport(t, "--dir", data, file); status != statusInterrupted {
		t.Fatalf("exit status %d, %q", status, errOut)
	}
	for want, args := range map[string][]string{
		"another store":            {"--dir", other, file},
		"begun with --format text": {"--dir", data, "--format", "json", file},
		"another range of keys":    {"--dir", data, "--prefix", "key", file},
	} {
		status, _, errOut := plinthWith(t, "", append([]string{"export", "--resume"}, args...)...)
		if status != statusFailed || !strings.Contains(errOut, want) || !strings.Contains(errOut, "to begin anew") {
			t.Errorf("exit status %d, no %q in %q", status, want, errOut)
		}
	}
	for want, args := range map[string][]string{
		"to standard output cannot go on": {"--dir", data, "-"},
		"one-version":                     {"--dir", data, "--one-version", file},
	} {
		status, _, errOut := plinthWith(t, "", append([]string{"export", "--resume"}, args...)...)
		if status != statusUsage || !strings.Contains(errOut, want) {
			t.Errorf("exit status %d, no %q in %q", status, want, errOut)
		}
	}
	_, errOut := mustRun(t, "", "export", "--dir", other, "--overwrite", file)
	if !strings.Contains(errOut, "--overwrite removes "+file+".partial") {
		t.Errorf("begun anew: %q", errOut)
	}
	status, _, errOut := plinthWith(t, "", "export", "--dir", data, "--resume", file)
	if status != statusFailed || !strings.Contains(errOut, "exists already") {
		t.Errorf("of a complete file: exit status %d, %q", status, errOut)
	}
	_, errOut = mustRun(t, "", "export", "--dir", data, "--resume", file+"2")
	if !strings.Contains(errOut, "no export to "+file+"2 has stopped on the way") {
		t.Errorf("of nothing: %q", errOut)
	}
}

// TestAnExportOfOneVersionLeavesNothing interrupts what cannot go on.
func TestAnExportOfOneVersionLeavesNothing(t *testing.T) {
	data, _ := bigStore(t)
	file := filepath.Join(t.TempDir(), "rows.txt")
	if status, errOut := interruptExport(t, "--dir", data, "--one-version", file); status != statusInterrupted {
		t.Errorf("exit status %d, %q", status, errOut)
	}
	if left, err := filepath.Glob(file + "*"); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestWordsForTheSystemsShellAreQuoted(t *testing.T) {
	for word, want := range map[string]string{"": "''", "a/b-c.txt": "a/b-c.txt", "a b": "'a b'", `\x00`: `'\x00'`, "it's": `'it'\''s'`} {
		if got := shellWord(word); got != want {
			t.Errorf("%q is quoted %s, want %s", word, got, want)
		}
	}
}

var errBroken = errors.New("broken")

// brokenFiles are the disk's, but no file gets another name.
type brokenFiles struct{ partial.FS }

func (f brokenFiles) Rename(from, to string) error {
	if strings.HasSuffix(from, ".partial") {
		return errBroken
	}
	return f.FS.Rename(from, to)
}

func TestAnExportThatFailsAtItsEndCanGoOn(t *testing.T) {
	data, lines := bigStore(t)
	file := filepath.Join(t.TempDir(), "rows.txt")
	env := &environment{}
	var out, errOut bytes.Buffer
	root := newRootCommand(env, newExportTo(env, brokenFiles{partial.Disk()}))
	status := execute(t.Context(), env, root, []string{"export", "--dir", data, file}, strings.NewReader(""), &out, &errOut)
	if status != statusFailed || !strings.Contains(errOut.String(), "60 rows") || !strings.Contains(errOut.String(), "broken") {
		t.Errorf("exit status %d, %q", status, errOut.String())
	}
	if printed, _ := mustRun(t, "", "export", "--dir", data, "--resume", file); !strings.Contains(printed, "60 of them earlier") {
		t.Errorf("printed %q", printed)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != lines {
		t.Errorf("exported %d bytes of %d, %v", len(text), len(lines), err)
	}
}
