package tables

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Exports are the exported names of a package, as Name or Type.Member.
type Exports struct {
	// required are those that need a row; optional ones may have one: the
	// fields of types.
	required, optional map[string]bool
}

// ExportsOf reads the exported names of the package in a directory.
func ExportsOf(dir string) (Exports, error) {
	fileSet := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return Exports{}, err
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fileSet, path, nil, parser.ParseComments)
		if err != nil {
			return Exports{}, err
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return Exports{}, fmt.Errorf("no Go files in %s", dir)
	}
	p, err := doc.NewFromFiles(fileSet, files, dir)
	if err != nil {
		return Exports{}, err
	}
	e := Exports{required: map[string]bool{}, optional: map[string]bool{}}
	e.addValues(p.Consts, p.Vars)
	e.addFunctions("", p.Funcs)
	for _, t := range p.Types {
		e.addType(t)
	}
	return e, nil
}

func (e Exports) addType(t *doc.Type) {
	e.required[t.Name] = true
	e.addValues(t.Consts, t.Vars)
	e.addFunctions("", t.Funcs)
	e.addFunctions(t.Name+".", t.Methods)
	for _, spec := range t.Decl.Specs {
		switch kind := spec.(*ast.TypeSpec).Type.(type) {
		case *ast.InterfaceType:
			addMembers(e.required, t.Name, kind.Methods)
		case *ast.StructType:
			addMembers(e.optional, t.Name, kind.Fields)
		}
	}
}

// addValues adds constants and variables.
func (e Exports) addValues(groups ...[]*doc.Value) {
	for _, group := range groups {
		for _, value := range group {
			for _, name := range value.Names {
				if ast.IsExported(name) {
					e.required[name] = true
				}
			}
		}
	}
}

// addFunctions adds functions, or methods if prefix is not empty. Unwrap is no
// method that a program calls: errors.Is and errors.As do.
func (e Exports) addFunctions(prefix string, functions []*doc.Func) {
	for _, f := range functions {
		if f.Name != "Unwrap" || prefix == "" {
			e.required[prefix+f.Name] = true
		}
	}
}

// addMembers adds the fields of a struct or the methods of an interface.
func addMembers(to map[string]bool, typeName string, members *ast.FieldList) {
	for _, field := range members.List {
		for _, name := range field.Names {
			if name.IsExported() {
				to[typeName+"."+name.Name] = true
			}
		}
	}
}

// all returns the full names that a name of a row stands for.
func (e Exports) all(name string) (full []string) {
	for _, set := range []map[string]bool{e.required, e.optional} {
		if set[name] {
			full = append(full, name)
		}
	}
	if strings.Contains(name, ".") {
		return full
	}
	for other := range e.required {
		if strings.HasSuffix(other, "."+name) {
			full = append(full, other)
		}
	}
	return full
}
