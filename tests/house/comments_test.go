package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// packageComments demands one package comment per package, in doc.go unless
// the package is a command or has nothing but tests.
func packageComments(t *tree) []finding {
	type packageID struct{ dir, name string }
	packages := map[packageID][]*goFile{}
	for _, f := range t.goes {
		id := packageID{f.dir(), strings.TrimSuffix(f.syntax.Name.Name, "_test")}
		packages[id] = append(packages[id], f)
	}
	order := func(a, b packageID) int { return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name)) }
	var found []finding
	for _, id := range slices.SortedFunc(maps.Keys(packages), order) {
		found = append(found, t.packageComment(id.name, packages[id])...)
	}
	return found
}

func (t *tree) packageComment(name string, files []*goFile) []finding {
	onlyTests := !slices.ContainsFunc(files, func(f *goFile) bool { return !f.isTest() })
	anywhere := name == "main" || onlyTests
	begins := "Package " + name + " "
	if name == "main" {
		begins = "Command "
	}
	var found []finding
	has := false
	for _, f := range files {
		doc := f.syntax.Doc
		switch {
		case doc == nil || f.isGenerated():
			continue
		case !anywhere && path.Base(f.path) != "doc.go":
			found = append(found, finding{f.path, t.line(doc.Pos()), "the comment of package " + name + " is not in doc.go", "move it there"})
		case has:
			found = append(found, finding{f.path, t.line(doc.Pos()), "a second comment of package " + name, "merge the two"})
		case !strings.HasPrefix(doc.Text(), begins) && !onlyTests:
			found = append(found, finding{f.path, t.line(doc.Pos()), fmt.Sprintf("the package comment does not begin with %q", begins), "begin it so"})
		}
		has = true
	}
	if !has {
		remedy := "add a doc.go that says what it is, how it is used and which invariants hold"
		if anywhere {
			remedy = "add a comment above the package clause of its main file"
		}
		found = append(found, finding{files[0].path, t.line(files[0].syntax.Package), "package " + name + " has no comment", remedy})
	}
	return found
}

// exportedDocs demands a comment that begins with the name for every exported
// function, method of an exported type, type, constant and variable. Constants
// and variables may share the comment of their group or have one at the end of
// the line. Methods of exported interfaces need one in any form.
func exportedDocs(t *tree) []finding {
	var found []finding
	for _, f := range t.goes {
		if f.isTest() || f.isGenerated() || f.syntax.Name.Name == "main" {
			continue
		}
		for _, decl := range f.syntax.Decls {
			for _, u := range undocumented(decl) {
				found = append(found, finding{f.path, t.line(u.pos), u.what, "say what it is for, with units, shapes and the errors it returns"})
			}
		}
	}
	return found
}

type undocumentedName struct {
	pos  token.Pos
	what string
}

func undocumented(decl ast.Decl) []undocumentedName {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if !decl.Name.IsExported() || !ast.IsExported(receiver(decl)) {
			return nil
		}
		return nameless(decl.Name, decl.Doc)
	case *ast.GenDecl:
		var all []undocumentedName
		for _, spec := range decl.Specs {
			all = append(all, undocumentedSpec(decl, spec)...)
		}
		return all
	}
	return nil
}

func undocumentedSpec(decl *ast.GenDecl, spec ast.Spec) []undocumentedName {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		doc := spec.Doc
		if doc == nil && len(decl.Specs) == 1 {
			doc = decl.Doc
		}
		return append(nameless(spec.Name, doc), undocumentedMethods(spec)...)
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && spec.Doc == nil && spec.Comment == nil && decl.Doc == nil {
				return []undocumentedName{{name.Pos(), name.Name + " has no comment, nor has its group"}}
			}
		}
	}
	return nil
}

func undocumentedMethods(spec *ast.TypeSpec) []undocumentedName {
	face, ok := spec.Type.(*ast.InterfaceType)
	if !ok {
		return nil
	}
	var all []undocumentedName
	for _, m := range face.Methods.List {
		if _, isMethod := m.Type.(*ast.FuncType); !isMethod {
			continue // embedded interface or a union of types
		}
		if m.Names[0].IsExported() && m.Doc == nil && m.Comment == nil {
			all = append(all, undocumentedName{m.Pos(), fmt.Sprintf("method %s of interface %s has no comment", m.Names[0].Name, spec.Name.Name)})
		}
	}
	return all
}

// receiver returns the name of a method's type; for a function, any exported
// name.
func receiver(decl *ast.FuncDecl) string {
	if decl.Recv == nil {
		return "Function"
	}
	typ := decl.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// nameless returns the name unless doc begins with it, perhaps after an
// article.
func nameless(name *ast.Ident, doc *ast.CommentGroup) []undocumentedName {
	words := strings.Fields(doc.Text())
	if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return []undocumentedName{{name.Pos(), name.Name + " has no comment"}}
	case strings.TrimRight(words[0], ",:.") != name.Name && words[0] != "Deprecated:":
		return []undocumentedName{{name.Pos(), fmt.Sprintf("the comment of %s begins with %q instead of its name", name.Name, words[0])}}
	}
	return nil
}

func TestPackageCommentsFindWhatIsMissingOrMisplaced(t *testing.T) {
	tree := sample(t, map[string]string{
		"good/doc.go":           "// Package good is fine.\npackage good\n",
		"good/good.go":          "package good\n",
		"good/good_test.go":     "package good_test\n",
		"none/none.go":          "\npackage none\n",
		"elsewhere/e.go":        "// Package elsewhere is documented in the wrong file.\npackage elsewhere\n",
		"misnamed/doc.go":       "// This package is misnamed.\npackage misnamed\n",
		"cmd/a/main.go":         "// Command a is fine.\npackage main\n",
		"cmd/b/main.go":         "package main\n",
		"cmd/c/main.go":         "// Command c is fine.\npackage main\n",
		"cmd/c/two.go":          "// Command c is described twice.\npackage main\n",
		"onlytests/a_test.go":   "// Anything goes.\npackage onlytests\n",
		"onlytests/b_test.go":   "package onlytests\n",
		"silenttests/a_test.go": "package silenttests\n",
	})
	expect(t, packageComments(tree),
		"none/none.go:2", "elsewhere/e.go:1", "misnamed/doc.go:1", "cmd/b/main.go:1", "cmd/c/two.go:1", "silenttests/a_test.go:1")
}

func TestExportedDocsFindUndocumentedNames(t *testing.T) {
	tree := sample(t, map[string]string{
		"p/p.go": `package p

func Bare() {}

// Good is documented.
func Good() {}

// Misnamed is not how this one is called.
func Other() {}

type hidden struct{}

func (hidden) Exported() {}

// A Shown is documented with an article.
type Shown[T any] struct{ Field int }

func (s *Shown[T]) Method() {}

// Sizes of things.
const (
	Small = 1
	Large = 2
)

const Lonely = 3

var Trailing = 4 // is enough

// Store is an interface.
type Store interface {
	// Get is documented.
	Get()
	Put()
	hidden()
}

type (
	// Alpha is documented.
	Alpha int
	Beta  int
)
`,
		"p/p_test.go":     "package p\n\nfunc Helper() {}\n",
		"p/p.pb.go":       "// Code generated by a tool. DO NOT EDIT.\npackage p\n\nfunc Made() {}\n",
		"cmd/p/main.go":   "package main\n\nfunc Unimportable() {}\n",
		"q/deprecated.go": "package q\n\n// Deprecated: use another.\nfunc Old() {}\n",
	})
	expect(t, exportedDocs(tree), "p/p.go:3", "p/p.go:9", "p/p.go:18", "p/p.go:26", "p/p.go:34", "p/p.go:41")
}
