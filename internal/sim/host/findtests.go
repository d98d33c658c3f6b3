package host

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// testFinder finds the tests of a package that call simtest.Run, themselves or
// by other functions of the test files.
type testFinder struct {
	// tests are in the order of the source.
	tests []string
	// calls maps each function to the functions of the package that it names.
	calls map[string][]string
	// runs are the functions that name simtest.Run.
	runs map[string]bool
}

// tests reads the test files of the package.
func (p *userPackage) tests() (*Tests, error) {
	f := testFinder{calls: make(map[string][]string), runs: make(map[string]bool)}
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		f.add(file)
	}
	t := &Tests{Package: p.ImportPath, All: f.tests}
	for _, name := range f.tests {
		if f.reaches(name, make(map[string]bool)) {
			t.Simulated = append(t.Simulated, name)
		}
	}
	return t, nil
}

func (f *testFinder) add(file *ast.File) {
	simtest := importName(file, simtestPackage)
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		name := function.Name.Name
		if function.Recv == nil && isTest(name) {
			f.tests = append(f.tests, name)
		}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && simtest != "" && x.Name == simtest && n.Sel.Name == "Run" {
					f.runs[name] = true
				}
				f.calls[name] = append(f.calls[name], n.Sel.Name)
			case *ast.Ident:
				f.calls[name] = append(f.calls[name], n.Name)
			}
			return true
		})
	}
}

// reaches reports whether a function comes to simtest.Run.
func (f *testFinder) reaches(name string, seen map[string]bool) bool {
	if f.runs[name] || seen[name] {
		return f.runs[name]
	}
	seen[name] = true
	return slices.ContainsFunc(f.calls[name], func(called string) bool { return f.reaches(called, seen) })
}

// importName returns what a file calls an imported package, empty if it does
// not import it.
func importName(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err != nil || name != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// isTest reports whether the go command takes a function of that name for a
// test.
func isTest(name string) bool {
	rest, ok := strings.CutPrefix(name, "Test")
	if !ok || name == "TestMain" {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLower(r)
}

// Choose returns what to give to -test.run for each test that is to run alone:
// those that call simtest.Run if pattern is empty, and otherwise those that it
// matches, as with go test -run.
func (t *Tests) Choose(pattern string) ([]string, error) {
	names, first, rest := t.Simulated, "", ""
	if pattern != "" {
		first, rest, _ = strings.Cut(pattern, "/")
		names = t.All
	}
	matcher, err := regexp.Compile(first)
	if err != nil {
		return nil, fmt.Errorf("--run: %w", err)
	}
	var chosen []string
	for _, name := range names {
		if !matcher.MatchString(name) {
			continue
		}
		one := "^" + name + "$"
		if rest != "" {
			one += "/" + rest
		}
		chosen = append(chosen, one)
	}
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case pattern != "":
		return nil, fmt.Errorf("%w: --run %s matches none of the tests of %s: %s", ErrNoTest, pattern, t.Package, strings.Join(t.All, ", "))
	}
	return nil, fmt.Errorf("%w: none of the tests of %s calls simtest.Run (of package %s)", ErrNoTest, t.Package, simtestPackage)
}
