package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An empty name is what an unset variable in a script leaves.
func TestAnEmptyNameIsWrongUsageAndSaysWhatToGive(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args []string
		text string
	}{
		{[]string{"shell", "--dir", ""}, `flag: the name is empty; give the name of a directory`},
		{[]string{"shell", "-d", "", "--exec", "status"}, `flag: the name is empty`},
		{[]string{"import", "--dir=", "-"}, `flag: the name is empty`},
		{[]string{"export", "--dir=", "-"}, `flag: the name is empty`},
		{[]string{"bench", "--dir="}, `flag: the name is empty`},
		{[]string{"demo", "--dir="}, `flag: the name is empty`},
		{[]string{"demo", "--source="}, `flag: the name is empty`},
		{[]string{"sim", "--source="}, `flag: the name is empty`},
		{[]string{"sim", "--cache="}, `flag: the name is empty`},
		{[]string{"check", ""}, "DIR is empty; give the data directory of a store"},
		{[]string{"check"}, "0 arguments given; give one, DIR: the data directory of a store"},
		{[]string{"check", "a", "b"}, "2 arguments given; give one, DIR"},
		{[]string{"import", "--dir", "data", ""}, "FILE is empty; give the file to read, - for standard input"},
		{[]string{"export", "--dir", "data", ""}, "FILE is empty; give the file to write, - for standard output"},
	} {
		status, out, errOut := plinth(t, c.args...)
		if status != statusUsage || out != "" || !strings.Contains(errOut, c.text) {
			t.Errorf("plinth %q: exit status %d, printed %q and %q", c.args, status, out, errOut)
		}
	}
	if names, err := os.ReadDir("."); err != nil || len(names) > 0 {
		t.Errorf("wrong usage made %v (%v)", names, err)
	}
}

func TestAStoreIsSaidToBeMadeOnlyIfItIs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "data")
	status, _, errOut := plinth(t, "shell", "--dir", below, "--exec", "status")
	if status != statusFailed || strings.Contains(errOut, "new store") || !strings.Contains(errOut, "not a directory") {
		t.Errorf("a directory below a file: exit status %d, %q", status, errOut)
	}
	notStore := filepath.Join(dir, "other")
	if err := os.MkdirAll(filepath.Join(notStore, "log"), 0o700); err != nil {
		t.Fatal(err)
	}
	status, _, errOut = plinth(t, "shell", "--dir", notStore, "--exec", "status")
	if status != statusFailed || strings.Contains(errOut, "new store") || !strings.Contains(errOut, "no file FORMAT") {
		t.Errorf("a directory that lost its format: exit status %d, %q", status, errOut)
	}
	status, _, errOut = plinth(t, "shell", "--dir", filepath.Join(dir, "data"), "--exec", "getversion")
	if status != statusOK || !strings.Contains(errOut, "made a new store in "+filepath.Join(dir, "data")) {
		t.Errorf("a new store: exit status %d, %q", status, errOut)
	}
}

func TestAnOpeningThatFailsSaysWhyOnce(t *testing.T) {
	dir := storeWithRows(t)
	tables, err := filepath.Glob(filepath.Join(dir, "storage", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("there is no table: %v", err)
	}
	for _, table := range tables {
		content, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		content[0] ^= 1
		if err := os.WriteFile(table, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, _, errOut := plinth(t, "shell", "--dir", dir, "--exec", "status")
	if status != statusFailed || !strings.Contains(errOut, ".sst is corrupt; restore") || strings.Count(errOut, "\n") != 1 {
		t.Errorf("exit status %d, %q", status, errOut)
	}
}

func TestAnImportOfNoFileLeavesNoStoreBehind(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for file, text := range map[string]string{filepath.Join(dir, "none"): "no such file", dir: "is a directory; give a file"} {
		status, _, errOut := plinth(t, "import", "--dir", data, file)
		if status != statusFailed || !strings.Contains(errOut, text) {
			t.Errorf("import of %s: exit status %d, %q", file, status, errOut)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("a store was made: %v", err)
	}
}
