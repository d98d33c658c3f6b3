package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// modulePath is the import path of the repository's root.
const modulePath = "github.com/plinthdb/plinth"

// tree is the repository as the rules see it.
type tree struct {
	fset  *token.FileSet
	goes  []*goFile
	texts []*textFile
	// names holds every file and directory, slash-separated.
	names map[string]bool
}

// goFile is one parsed Go file.
type goFile struct {
	path   string
	lines  int
	syntax *ast.File
	// nested says that a module of its own, below the root's, holds the file.
	nested bool
}

// textFile is a file that rules read as text: Markdown and module files.
type textFile struct {
	path string
	text string
}

// finding is one place that breaks a rule.
type finding struct {
	path   string
	line   int
	what   string
	remedy string
}

// String returns the finding in the form that editors can jump to.
func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s; %s", f.path, f.line, f.what, f.remedy)
}

func (f *goFile) dir() string       { return path.Dir(f.path) }
func (f *goFile) isTest() bool      { return strings.HasSuffix(f.path, "_test.go") }
func (f *goFile) isGenerated() bool { return ast.IsGenerated(f.syntax) }

// isOutsideTest reports whether the file is in a package x_test, which sees
// package x as its users do.
func (f *goFile) isOutsideTest() bool {
	return f.isTest() && strings.HasSuffix(f.syntax.Name.Name, "_test")
}

// under reports whether file or directory name is dir or lies below it.
func under(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}

func (t *tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// readTree parses what is below the root of fsys. Directories that the go
// command ignores (testdata, names that begin with "." or "_") are left out.
func readTree(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), names: map[string]bool{}}
	var nested []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		t.names[name] = true
		if entry.IsDir() {
			return enterDir(fsys, name, &nested)
		}
		inNested := slices.ContainsFunc(nested, func(dir string) bool { return under(name, dir) })
		return t.add(fsys, name, inNested)
	})
	return t, err
}

func enterDir(fsys fs.FS, name string, nested *[]string) error {
	base := path.Base(name)
	if name == "." {
		return nil
	}
	if base == ".git" || base == "testdata" || base[0] == '_' {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, name+"/go.mod"); err == nil {
		*nested = append(*nested, name)
	}
	return nil
}

func (t *tree) add(fsys fs.FS, name string, nested bool) error {
	isText := slices.Contains([]string{".md", ".mod", ".work"}, path.Ext(name))
	if path.Ext(name) != ".go" && !isText {
		return nil
	}
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if isText {
		t.texts = append(t.texts, &textFile{path: name, text: string(content)})
		return nil
	}
	syntax, err := parser.ParseFile(t.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.goes = append(t.goes, &goFile{
		path:   name,
		lines:  bytes.Count(content, []byte("\n")),
		syntax: syntax,
		nested: nested,
	})
	return nil
}

// sample makes a tree of the given files, path → content.
func sample(t *testing.T, files map[string]string) *tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	tree, err := readTree(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// expect fails the test unless the findings are exactly at the wanted places,
// "path:line", in any order, and each has a remedy.
func expect(t *testing.T, found []finding, want ...string) {
	t.Helper()
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s:%d", f.path, f.line))
		if f.what == "" || f.remedy == "" {
			t.Errorf("finding without explanation or remedy: %v", f)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("findings at %v, want %v", got, want)
		for _, f := range found {
			t.Logf("found %v", f)
		}
	}
}
