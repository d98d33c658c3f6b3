package docs

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentationWorksAsWritten runs all blocks of all documents.
func TestDocumentationWorksAsWritten(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	noteSources(t, root)
	bin := t.TempDir()
	mustRun(t, root, "go", "build", "-ldflags=-w", "-o", filepath.Join(bin, "plinth"), "./cmd/plinth")
	ran := 0
	for _, name := range documents(t, root) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all := blocks(string(content))
		t.Run(name, func(t *testing.T) {
			r := &runner{name: name, root: root, bin: bin, dir: t.TempDir()}
			for i, b := range all {
				if r.run(t, b, all[i+1:]) {
					ran++
				}
			}
		})
	}
	if ran == 0 {
		t.Error("no document shows anything that can be run")
	}
}

// noteSources looks at every Go file, so that the go command does not take
// this test's result from its cache when one of them has changed.
func noteSources(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".go" {
			_, err = os.Stat(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func documents(t *testing.T, root string) (names []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "compat/*/*.md", "kv/*/*.md", "examples/*/*.md", "tests/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			relative, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, relative)
		}
	}
	return names
}

// runner runs the blocks of one document.
type runner struct {
	name, root, bin string
	dir             string // that the document's commands share
}

// run runs a block, if it is one to run. rest are the blocks after it.
func (r *runner) run(t *testing.T, b block, rest []block) bool {
	t.Helper()
	switch {
	case b.kind == "go" && strings.HasPrefix(b.text, "package main\n"):
		var output []string
		if len(rest) > 0 && rest[0].kind == "output" {
			output = strings.Split(strings.TrimSuffix(rest[0].text, "\n"), "\n")
		}
		r.program(t, b, output)
	case b.kind == "console":
		r.transcript(t, b, r.dir)
	case b.kind == "console clone":
		r.transcript(t, b, r.root)
	default:
		return false
	}
	return true
}

// program builds a program as part of this module and runs it elsewhere.
func (r *runner) program(t *testing.T, b block, want []string) {
	t.Helper()
	if formatted, err := format.Source([]byte(b.text)); err != nil || string(formatted) != b.text {
		t.Errorf("%s:%d: the program is not formatted as gofmt does it (%v)", r.name, b.line, err)
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, r.root, "go", "build", "-ldflags=-w", "-o", binary, source)
	r.check(t, command{line: b.line, shell: binary, output: want}, dir)
}

func (r *runner) transcript(t *testing.T, b block, dir string) {
	t.Helper()
	for _, c := range b.commands() {
		r.check(t, c, dir)
	}
}

// check runs one command and compares what it prints.
func (r *runner) check(t *testing.T, c command, dir string) {
	t.Helper()
	sh := exec.CommandContext(t.Context(), "sh", "-c", c.shell)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GOBIN="+r.bin)
	var errOut bytes.Buffer
	sh.Stderr = &errOut
	out, err := sh.Output()
	at := fmt.Sprintf("%s:%d: $ %s", r.name, c.line, c.shell)
	if err != nil {
		t.Errorf("%s\n%v\n%s%s", at, err, out, errOut.String())
		return
	}
	lines := withoutEnd(strings.Split(string(out), "\n"))
	if len(c.output) > 0 && !prints(lines, c.output) {
		t.Errorf("%s\nprints\n%s\nbut the document shows\n%s", at, out, strings.Join(c.output, "\n"))
	}
}

func mustRun(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
