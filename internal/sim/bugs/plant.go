package bugs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

const (
	// switchFile is added to the package that all others may import. It holds
	// the switch between the bugs.
	switchFile    = "internal/fault/planted.go"
	switchPackage = "github.com/plinthdb/plinth/internal/fault"
	// switchVariable is the environment variable that names the bug.
	switchVariable = "PLINTH_PLANTED_BUG"
)

const switchSource = `package fault

import "os"

var planted = os.Getenv("` + switchVariable + `")

// Planted reports whether the planted bug of that name is on.
func Planted(name string) bool { return planted == name }
`

// On returns the environment in which a program of Plant has this bug.
func (b *Bug) On() []string { return []string{switchVariable, b.Name} }

// errOutsideFunctions is for a diff that is more than a change of function
// bodies.
var errOutsideFunctions = errors.New("the patch changes more than the bodies of functions: declare what it needs inside one")

// Plant returns source files that have all the bugs in them, by their paths
// relative to the root. In a program of these each bug is off unless its
// environment says otherwise, see On: so one program, which takes a minute to
// make, serves for all of them, and its own run without a bug is what a run
// with one is compared with (B2).
//
// A function that a bug changes gets the changed body as a branch before its
// own.
func Plant(root string, all []Bug) (map[string][]byte, error) {
	branches := make(map[string][]branch)
	for i := range all {
		b := &all[i]
		patched, err := b.Overlay()
		if err != nil {
			return nil, err
		}
		for path, content := range patched {
			original, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				return nil, err
			}
			found, err := changedBodies(b.Name, original, content)
			if err != nil {
				return nil, fmt.Errorf("planting bug %s: %s: %w", b.Name, path, err)
			}
			branches[path] = append(branches[path], found...)
		}
	}
	overlay := map[string][]byte{switchFile: []byte(switchSource)}
	for path, list := range branches {
		original, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		if overlay[path], err = insert(original, list); err != nil {
			return nil, fmt.Errorf("planting bugs: %s: %w", path, err)
		}
	}
	return overlay, nil
}

// branch is the text that goes to a place of a file.
type branch struct {
	at   int
	text string
}

// function is where a function's body stands in a file.
type function struct {
	begin, end int // of what is between the braces
	hasResults bool
}

// changedBodies returns a branch for each function whose body is not the same
// in both files, which must be the same otherwise.
func changedBodies(bug string, original, patched []byte) (all []branch, err error) {
	before, err := functionsOf(original)
	if err != nil {
		return nil, err
	}
	after, err := functionsOf(patched)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(withoutBodies(original, before), withoutBodies(patched, after)) {
		return nil, errOutsideFunctions
	}
	for i, f := range before {
		body := patched[after[i].begin:after[i].end]
		if bytes.Equal(original[f.begin:f.end], body) {
			continue
		}
		end := "\n"
		if !f.hasResults {
			end = "\nreturn\n"
		}
		text := "\nif plantedfault.Planted(" + strconv.Quote(bug) + ") {" + string(body) + end + "}\n"
		all = append(all, branch{at: f.begin, text: text})
	}
	return all, nil
}

func functionsOf(source []byte) (all []function, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			all = append(all, function{
				begin: fset.Position(f.Body.Lbrace).Offset + 1, end: fset.Position(f.Body.Rbrace).Offset,
				hasResults: f.Type.Results != nil,
			})
		}
	}
	return all, nil
}

// withoutBodies returns a file without what functions do.
func withoutBodies(source []byte, functions []function) (rest []byte) {
	from := 0
	for _, f := range functions {
		rest = append(rest, source[from:f.begin]...)
		from = f.end
	}
	return append(rest, source[from:]...)
}

// insert puts the branches into a file, and the import that they need.
func insert(source []byte, list []branch) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.PackageClauseOnly)
	if err != nil {
		return nil, err
	}
	list = append(list, branch{
		at:   fset.Position(file.Name.End()).Offset,
		text: "; import plantedfault " + strconv.Quote(switchPackage),
	})
	slices.SortStableFunc(list, func(a, b branch) int { return cmp.Compare(a.at, b.at) })
	var out []byte
	from := 0
	for _, b := range list {
		out = append(append(out, source[from:b.at]...), b.text...)
		from = b.at
	}
	return append(out, source[from:]...), nil
}
