package docs

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFragmentsCompile builds all Go blocks that are no programs, each as a
// package of its own: with the packages and the names of glossary that it
// uses, and within a function if it is one of statements.
func TestFragmentsCompile(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	noteSources(t, root)
	dir, n := t.TempDir(), 0
	for _, name := range documents(t, root) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(content)) {
			if b.kind != "go" || strings.HasPrefix(b.text, "package ") {
				continue
			}
			n++
			at := fmt.Sprintf("%s:%d", name, b.line)
			source, err := wrapped(at, b)
			if err != nil {
				t.Errorf("%s: %v", at, err)
				continue
			}
			writeFile(t, filepath.Join(dir, fmt.Sprintf("fragment%d", n), "fragment.go"), source)
		}
	}
	if n == 0 {
		t.Fatal("no document has a fragment")
	}
	compile(t, root, dir)
}

// compile builds all packages below dir, in a workspace with the modules of this
// repository that documents speak of.
func compile(t *testing.T, root, dir string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "go.mod"), "module fragments\n\ngo 1.26.0\n")
	work := "go 1.26.0\n\nuse .\n"
	for _, module := range []string{".", "compat/foundationdb-go", "kv/otelkv"} {
		work += fmt.Sprintf("use %q\n", filepath.Join(root, module))
	}
	writeFile(t, filepath.Join(dir, "go.work"), work)
	cmd := exec.CommandContext(t.Context(), "go", "build", "./...")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK="+filepath.Join(dir, "go.work"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// imports are the packages that fragments use by name.
func imports() map[string]string {
	const plinth, binding = "github.com/plinthdb/plinth/", "github.com/apple/foundationdb/bindings/go/src/"
	return map[string]string{
		"kv": plinth + "kv", "embedded": plinth + "kv/embedded", "typed": plinth + "kv/typed", "blob": plinth + "kv/blob",
		"bulk": plinth + "kv/bulk", "directory": plinth + "kv/directory", "tuple": plinth + "kv/tuple",
		"subspace": plinth + "kv/subspace", "metrics": plinth + "kv/metrics", "otelkv": plinth + "kv/otelkv",
		"simtest": plinth + "kv/simtest", "bank": plinth + "examples/bank",
		"fdb": binding + "fdb", "fdb/tuple": binding + "fdb/tuple", "fdb/subspace": binding + "fdb/subspace", "fdb/directory": binding + "fdb/directory",
		"binary": "encoding/binary", "context": "context", "errors": "errors", "fmt": "fmt", "log": "log", "rand": "math/rand/v2",
		"slog": "log/slog", "testing": "testing", "time": "time", "prometheus": "github.com/prometheus/client_golang/prometheus",
		"trace": "go.opentelemetry.io/otel/trace",
	}
}

// glossary says what the names are that fragments use without declaring them:
// the same in all documents.
func glossary() map[string]string {
	return map[string]string{
		"ctx":          "var ctx context.Context",
		"db":           "var db *kv.Database",
		"tx":           "var tx *kv.Transaction",
		"r":            "var r kv.Reader",
		"tr":           "var tr fdb.Transaction",
		"w":            "var w *simtest.World",
		"dir":          "var dir string",
		"key":          "var key []byte",
		"value":        "var value []byte",
		"names":        "var names []string",
		"logger":       "var logger *slog.Logger",
		"registry":     "var registry *prometheus.Registry",
		"provider":     "var provider trace.TracerProvider",
		"move":         "var move func(tx *kv.Transaction) (int, error)",
		"cache":        "var cache interface { Drop([]byte, kv.Version); DropRange(kv.KeyRange, kv.Stamp) }",
		"balances":     `var balances = typed.NewCounters(subspace.Sub("balance"), typed.StringKey[string]())`,
		"acknowledged": "var acknowledged int",
		"unknown":      "var unknown int",
		"tellers":      "const tellers = 4",
		"accounts":     "const accounts = 10",
		"opening":      "const opening = 100",
		"sum":          "const sum = 1000",
	}
}

// wrapped returns a file around a fragment.
func wrapped(at string, b block) (string, error) {
	formatted, err := format.Source([]byte(b.text))
	switch {
	case err != nil:
		return "", err
	case string(formatted) != b.text:
		return "", fmt.Errorf("the fragment is not formatted as gofmt does it")
	}
	text := fmt.Sprintf("//line %s:%d\n%s", strings.TrimSuffix(at, fmt.Sprint(":", b.line)), b.line+1, b.text)
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.text, parser.SkipObjectResolution); err != nil {
		text = inFunction(text)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text, 0)
	if err != nil {
		return "", err
	}
	declarations := missing(file)
	source := "package fragment\n\n" + strings.Join(declarations, "\n") + "\n\n" + text
	if file, err = parser.ParseFile(token.NewFileSet(), "", source, 0); err != nil {
		return "", err
	}
	return strings.Replace(source, "\n\n", "\n\n"+importsOf(file)+"\n", 1), nil
}

// inFunction returns statements as the body of a function, which returns what
// they do, and in which no variable is unused.
func inFunction(text string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+text+"}\n", parser.SkipObjectResolution)
	if err != nil {
		return text // the caller reports it
	}
	body := file.Decls[0].(*ast.FuncDecl).Body
	results, end := "", ""
	for _, name := range assigned(body) {
		end += "_ = " + name + "\n"
	}
	if n := returned(body); n > 0 {
		results = "(" + strings.TrimSuffix(strings.Repeat("any, ", n-1)+"error", ", ") + ")"
		end += "return " + strings.TrimSuffix(strings.Repeat("nil, ", n), ", ") + "\n"
	}
	return "func _() " + results + " {\n" + text + end + "}\n"
}

// assigned returns the names that the statements of a body declare.
func assigned(body *ast.BlockStmt) (names []string) {
	for _, statement := range body.List {
		a, ok := statement.(*ast.AssignStmt)
		if !ok || a.Tok != token.DEFINE {
			continue
		}
		for _, left := range a.Lhs {
			if id, ok := left.(*ast.Ident); ok && id.Name != "_" {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// returned returns how many values a return statement of the body has, not
// looking into functions within it.
func returned(body *ast.BlockStmt) (n int) {
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			n = max(n, len(node.Results))
		}
		return true
	})
	return n
}

// missing returns the declarations of the glossary's names that a file uses and
// does not declare.
func missing(file *ast.File) (declarations []string) {
	words := glossary()
	for _, id := range file.Unresolved {
		if declaration, ok := words[id.Name]; ok {
			declarations = append(declarations, declaration)
			delete(words, id.Name)
		}
	}
	return declarations
}

// importsOf returns the imports that a file needs. Names that are packages of
// both clients are those of the binding if the file uses nothing else of kv.
func importsOf(file *ast.File) string {
	used := map[string]bool{}
	for _, id := range file.Unresolved {
		used[id.Name] = true
	}
	var lines []string
	paths := imports()
	for _, name := range slices.Sorted(maps.Keys(used)) {
		path, ok := paths[name]
		if old := paths["fdb/"+name]; old != "" && used["fdb"] && !used["kv"] && !used["typed"] {
			path = old
		}
		if ok {
			lines = append(lines, fmt.Sprintf("import %q\n", path))
		}
	}
	return strings.Join(lines, "")
}

func TestFragmentsAreWrappedAsTheyNeed(t *testing.T) {
	for _, c := range []struct {
		name, text     string
		contains, lack []string
	}{
		{
			"a declaration", "func f(tx *kv.Transaction) { tx.Set(key, nil) }\n",
			[]string{`import "github.com/plinthdb/plinth/kv"`, "var key []byte", "//line x.md:8\nfunc f("}, []string{"var tx", "func _()"},
		},
		{
			"statements", "n, err := fmt.Println(dir)\n",
			[]string{`import "fmt"`, "var dir string", "func _()  {\n//line x.md:8\nn, err", "_ = n\n_ = err\n}"}, []string{"return"},
		},
		{
			"a return", "if ctx != nil {\n\treturn 1, func() error { return nil }()\n}\n",
			[]string{"func _() (any, error) {", "return nil, nil\n}", `import "context"`}, nil,
		},
		{
			"the binding's tuples", "_, _ = tr.Get(tuple.Tuple{1}).Get()\n",
			[]string{"bindings/go/src/fdb/tuple", "bindings/go/src/fdb\""}, []string{"kv/tuple"},
		},
		{
			"kv's tuples", "_ = tuple.Tuple{kv.MaxKeyBytes}\n",
			[]string{"plinth/kv/tuple"}, []string{"fdb"},
		},
	} {
		source, err := wrapped("x.md:7", block{line: 7, text: c.text})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, part := range c.contains {
			if !strings.Contains(source, part) {
				t.Errorf("%s: %q is not in\n%s", c.name, part, source)
			}
		}
		for _, part := range c.lack {
			if strings.Contains(source, part) {
				t.Errorf("%s: %q is in\n%s", c.name, part, source)
			}
		}
	}
	for _, bad := range []string{"x:=1\n", "x := \n", "func {\n"} {
		if source, err := wrapped("x.md:7", block{line: 7, text: bad}); err == nil {
			t.Errorf("%q was wrapped as\n%s", bad, source)
		}
	}
}
