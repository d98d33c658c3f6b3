package conformance_test

import (
	"errors"
	"flag"
	"path/filepath"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/tests/conformance/check"
)

// newestAPIVersion is what tests use that are not about other ones.
const newestAPIVersion = 730

// apiVersion is for a process of its own: a process selects one version.
var apiVersion = flag.Int("api-version", newestAPIVersion, "run the compat module at this API version")

// openFDB opens a store by FoundationDB's API.
func openFDB(dir string) (*check.Subject, func() error, error) {
	fdb.MustAPIVersion(*apiVersion)
	db, err := fdb.OpenDatabase("plinth-embedded:" + filepath.Join(dir, "store"))
	if err != nil {
		return nil, nil, err
	}
	closeStore := func() error { db.Close(); return nil }
	if err := db.Options().SetTransactionMaxRetryDelay(1); err != nil {
		return nil, nil, errors.Join(err, closeStore())
	}
	return check.FDB(db, false), closeStore, nil
}

func TestCompatDoesWhatTheModelSays(t *testing.T) { checkKinds(t, openFDB) }
