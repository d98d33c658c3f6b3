package conformance_test

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// newestAPIVersion is what tests use that are not about other ones.
const newestAPIVersion = 730

// apiVersion is for a process of its own: a process selects one version.
var apiVersion = flag.Int("api-version", newestAPIVersion, "run the compat module at this API version")

// openFDB opens a store by FoundationDB's API.
func openFDB(t *testing.T) (s *check.Subject, closeStore func()) {
	t.Helper()
	fdb.MustAPIVersion(*apiVersion)
	db, err := fdb.OpenDatabase("plinth-embedded:" + filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Options().SetTransactionMaxRetryDelay(1); err != nil {
		t.Fatal(err)
	}
	return check.FDB(db), db.Close
}

func TestCompatDoesWhatTheModelSaysOfAPIPrograms(t *testing.T) {
	checkPrograms(t, openFDB, 75, func(seed uint64) *generate.Program { return generate.API(seed, 60) })
}

func TestCompatDoesWhatTheModelSaysOfTuplePrograms(t *testing.T) {
	checkPrograms(t, openFDB, 25, func(seed uint64) *generate.Program { return generate.Tuple(seed, 60) })
}

func TestCompatDoesWhatTheModelSaysOfThreads(t *testing.T) {
	checkPrograms(t, openFDB, 25, func(seed uint64) *generate.Program { return generate.Threads(seed, 3, 30) })
}

func TestCompatDoesWhatTheModelSaysOfDirectoryPrograms(t *testing.T) {
	checkPrograms(t, openFDB, 25, func(seed uint64) *generate.Program { return generate.Directory(seed, 60) })
}
