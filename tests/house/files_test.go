package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// lineLimit is the hard limit on a file; 500 is what to aim at.
const lineLimit = 700

// fileLengths reports files that are too long to be one idea.
func fileLengths(t *tree) []finding {
	var found []finding
	for _, f := range t.goes {
		if f.lines > lineLimit && !f.isGenerated() {
			found = append(found, finding{f.path, f.lines, fmt.Sprintf("%d lines are more than %d", f.lines, lineLimit), "split it: one idea a file"})
		}
	}
	return found
}

// sleepingTests reports time.Sleep in tests. In the simulation time is
// virtual, so there it costs nothing and waits for nothing real.
func sleepingTests(t *tree) []finding {
	var found []finding
	for _, f := range t.goes {
		if !f.isTest() || under(f.path, "tests/sim") || under(f.path, "internal/sim") {
			continue
		}
		clock := importedAs(f.syntax, "time")
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if isSelector(n, clock, "Sleep") {
				found = append(found, finding{f.path, t.line(n.Pos()), "a test that sleeps", "wait for the event itself, by a channel, a condition or testing/synctest"})
			}
			return true
		})
	}
	return found
}

// importedAs returns the name under which file imports the package, "" if it
// does not.
func importedAs(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+importPath+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

func isSelector(n ast.Node, packageName, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || packageName == "" || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == packageName
}

// unfinished reports comments that put something off, and tests that skip
// themselves.
func unfinished(t *tree) []finding {
	later := regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	var found []finding
	for _, f := range t.goes {
		for _, group := range f.syntax.Comments {
			for _, comment := range group.List {
				if word := later.FindString(comment.Text); word != "" {
					found = append(found, finding{f.path, t.line(comment.Pos()), "a comment says " + word, "do it, or return an error that says what is missing and file an issue"})
				}
			}
		}
		if !f.isTest() {
			continue
		}
		for _, call := range skips(f.syntax) {
			found = append(found, finding{f.path, t.line(call.Pos()), "a test skips itself", "make it run everywhere, or delete it; a fuzz target returns instead"})
		}
	}
	return found
}

// skips returns the calls of Skip, Skipf and SkipNow on anything but a
// *rapid.T, where they only discard one drawn case.
func skips(file *ast.File) []*ast.CallExpr {
	var found []*ast.CallExpr
	var enclosing []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			enclosing = enclosing[:len(enclosing)-1]
			return true
		}
		enclosing = append(enclosing, n)
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
			x, ok := s.X.(*ast.Ident)
			if ok && strings.HasSuffix(parameterType(enclosing, x.Name), "*rapid.T") {
				return true
			}
			// A method of some other type may be called Skip; tests call theirs t, b or f.
			if ok && slices.Contains([]string{"t", "tb", "b", "f"}, x.Name) {
				found = append(found, call)
			}
		}
		return true
	})
	return found
}

// parameterType returns the type of the named parameter of the innermost
// enclosing function that has one, written as in the source.
func parameterType(enclosing []ast.Node, name string) string {
	for _, n := range slices.Backward(enclosing) {
		var typ *ast.FuncType
		switch n := n.(type) {
		case *ast.FuncLit:
			typ = n.Type
		case *ast.FuncDecl:
			typ = n.Type
		default:
			continue
		}
		for _, field := range typ.Params.List {
			for _, id := range field.Names {
				if id.Name == name {
					return typeString(field.Type)
				}
			}
		}
	}
	return ""
}

func typeString(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return "*" + typeString(typ.X)
	case *ast.SelectorExpr:
		return typeString(typ.X) + "." + typ.Sel.Name
	case *ast.Ident:
		return typ.Name
	}
	return ""
}

// commandExamples demands Use, Short and Example of every cobra command.
func commandExamples(t *tree) []finding {
	var found []finding
	for _, f := range t.goes {
		cobra := importedAs(f.syntax, "github.com/spf13/cobra")
		if f.isTest() || cobra == "" {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || !isSelector(literal.Type, cobra, "Command") {
				return true
			}
			for _, field := range []string{"Use", "Short", "Example"} {
				if !hasText(literal, field) {
					found = append(found, finding{f.path, t.line(literal.Pos()), "a command without " + field, "add it; examples are calls that work as written"})
				}
			}
			return true
		})
	}
	return found
}

// hasText reports whether the literal sets the field to something other than
// the empty string.
func hasText(literal *ast.CompositeLit, field string) bool {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == field {
			text, isLiteral := pair.Value.(*ast.BasicLit)
			return !isLiteral || len(text.Value) > len(`""`)
		}
	}
	return false
}

func TestFileLengthsFindLongFilesUnlessGenerated(t *testing.T) {
	long := "package p\n" + strings.Repeat("\n", lineLimit)
	tree := sample(t, map[string]string{
		"p/short.go":     "package p\n" + strings.Repeat("\n", lineLimit-1),
		"p/long.go":      long,
		"p/long_test.go": long,
		"p/p.pb.go":      "// Code generated by a tool. DO NOT EDIT.\n" + long,
	})
	expect(t, fileLengths(tree), "p/long.go:701", "p/long_test.go:701")
}

func TestSleepingTestsFindsSleepsUnderAnyName(t *testing.T) {
	sleeps := "package p\n\nimport clock \"time\"\n\nfunc wait() { clock.Sleep(1) }\n"
	tree := sample(t, map[string]string{
		"p/p.go":              sleeps,
		"p/p_test.go":         sleeps,
		"p/own_test.go":       "package p\n\nfunc wait() { time.Sleep(1) }\n",
		"tests/sim/s_test.go": sleeps,
	})
	expect(t, sleepingTests(tree), "p/p_test.go:5")
}

func TestUnfinishedFindsSkipsAndPromises(t *testing.T) {
	tree := sample(t, map[string]string{
		"p/p.go": "package p\n\n// " + "TODO: write it.\nvar s = \"TODO\"\n",
		"p/p_test.go": `package p

func TestA(t *testing.T) { t.Skip("later") }

func TestB(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { t.Skip("not applicable") })
	t.Run("sub", func(t *testing.T) { t.SkipNow() })
}
` + "\nfunc FuzzC(f *testing.F) { f.Skipf(`later`) }\n" + `
func TestD(t *testing.T) { decoder.Skip(3) }
`,
	})
	expect(t, unfinished(tree), "p/p.go:3", "p/p_test.go:3", "p/p_test.go:7", "p/p_test.go:10")
}

func TestCommandExamplesFindsBareCommands(t *testing.T) {
	imports := "package main\n\nimport \"github.com/spf13/cobra\"\n\n"
	tree := sample(t, map[string]string{
		"cmd/a/good.go": imports + "var a = &cobra.Command{Use: \"a\", Short: \"a\", Example: `  a`}\n",
		"cmd/a/bare.go": imports + "var b = cobra.Command{Use: \"a\", Short: \"a\"}\n",
		"cmd/a/sad.go":  imports + "var c = &cobra.Command{Use: \"a\", Short: text(), Example: \"\"}\n",
	})
	expect(t, commandExamples(tree), "cmd/a/bare.go:5", "cmd/a/sad.go:5")
}
