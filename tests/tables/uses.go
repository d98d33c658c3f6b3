package tables

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Tests are the tests below some directories: by name, with the words that
// their code uses (T4).
type Tests map[string]map[string]bool

// TestsOf reads the tests in directories and all that is below them.
func TestsOf(dirs ...string) (Tests, error) {
	packages := map[string]declarations{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			of := filepath.Dir(path)
			if packages[of] == nil {
				packages[of] = declarations{}
			}
			return packages[of].read(path)
		})
		if err != nil {
			return nil, err
		}
	}
	tests := Tests{}
	for _, declared := range packages {
		for name := range declared {
			if !testName.MatchString(name) {
				continue
			}
			if tests[name] == nil {
				tests[name] = map[string]bool{}
			}
			maps.Copy(tests[name], declared.uses(name)) // two packages may have one name
		}
	}
	return tests, nil
}

// declarations are what the test files of a directory declare: the words of
// each, by name, those of methods by Type.Method.
type declarations map[string]map[string]bool

// read adds the declarations of a file.
func (d declarations) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			d.add(functionName(declaration), declaration)
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					d.add(spec.Name.Name, spec)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						d.add(name.Name, spec)
					}
				}
			}
		}
	}
	return nil
}

// add notes the words of a declaration. A package and its test package may
// declare the same name; what is called _ cannot be named.
func (d declarations) add(name string, declaration ast.Node) {
	if name == "_" {
		return
	}
	if d[name] == nil {
		d[name] = map[string]bool{}
	}
	ast.Inspect(declaration, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			d[name][id.Name] = true
		}
		return true
	})
}

// functionName returns the name of a function, Type.Method for a method.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && receiver == "" {
			receiver = id.Name
		}
		return receiver == ""
	})
	return receiver + "." + f.Name.Name
}

// uses returns the words of a declaration and of all that it names, in turn. A
// method is named by its own name if its type is named, too.
func (d declarations) uses(name string) map[string]bool {
	words, done := map[string]bool{name: true}, map[string]bool{}
	for {
		next := slices.DeleteFunc(slices.Collect(maps.Keys(d)), func(n string) bool {
			typeName, method, isMethod := strings.Cut(n, ".")
			return done[n] || !words[typeName] || isMethod && !words[method]
		})
		if len(next) == 0 {
			return words
		}
		for _, n := range next {
			done[n] = true
			maps.Copy(words, d[n])
		}
	}
}
