package kv_test

import (
	"os"
	"testing"

	"github.com/plinthdb/plinth/tests/tables"
)

// Every option, call, type and error of the client and its layers is in a table,
// with a test that exists and uses it, unless the table says that something is
// not there.
func TestTheTablesOfTheClientAreTrueAndComplete(t *testing.T) {
	document := must(os.ReadFile("../docs/client-options.md"))(t)
	code := tables.Code{
		Packages: map[string]tables.Exports{},
		// What a store implements, and what options, tracers and statistics are
		// made of: programs name them in signatures at most.
		Excused: map[string][]string{"kv": {
			"Backend", "Backend.*", "Locator", "Locator.*", "StatusBackend", "StatusBackend.*",
			"DatabaseOption", "TransactionOption", "Tracer", "Tracer.*", "Span", "Span.*",
			"Latencies",
		}, "directory": {"LayerOption", "Allocator"}, "embedded": {"Option"}},
		Tests: must(tables.TestsOf(".", "../cluster", "../storage", "../txn", "../internal/wire"))(t),
	}
	for name, dir := range map[string]string{
		"kv": ".", "tuple": "tuple", "subspace": "subspace", "directory": "directory", "embedded": "embedded",
	} {
		code.Packages[name] = must(tables.ExportsOf(dir))(t)
	}
	for _, problem := range tables.Check(string(document), code) {
		t.Error(problem)
	}
}
